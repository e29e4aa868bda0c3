"""Child processes that cannot outlive us.

A child gets a signal from the kernel when the thread that started it ends (PR_SET_PDEATHSIG), so even a
kill -9 of the parent leaves no orphan. Start children from a thread that lives as long as they shall.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

_PR_SET_PDEATHSIG: Final = 1
_CLONE_NEWUSER: Final = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork


def start_child(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    not_as_root: bool = False,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    new_group: bool = True,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts `command`, tied to this thread's life.

    Args:
        death_signal: what the child gets when this thread ends.
        not_as_root: when we are root, run it as nobody-in-particular inside a user namespace that maps to us:
            PostgreSQL and mosquitto refuse to be root or drop to a user that cannot read our folders.
        output: where standard output and error go; None inherits.
        new_group: keeps a terminal's Ctrl-C from reaching it, so that the supervisor stops things in order.
        keep_open: file descriptors that it inherits (the data folder's lock).
    """
    parent = os.getpid()
    mapped = not_as_root and os.geteuid() == 0

    def before_exec() -> None:
        if mapped:
            _leave_root()
        if _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            os._exit(126)
        if os.getppid() != parent:  # the parent died in between
            os._exit(125)

    return subprocess.Popen(
        [str(word) for word in command],
        preexec_fn=before_exec,
        env=None if environment is None else dict(environment),
        stdout=output,
        stderr=output,
        stdin=subprocess.DEVNULL,
        start_new_session=new_group,
        pass_fds=tuple(keep_open),
    )


def _leave_root() -> None:
    """Becomes user 1000 of a new user namespace, which is still root's user outside: files keep their owner."""
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        os._exit(124)
    for name, line in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
        Path(f"/proc/self/{name}").write_text(line, encoding="ascii")


def stop_child(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, patience_s: float = 10) -> int:
    """Asks it to stop, waits, then kills it. Returns its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def end_with_parent() -> None:
    """This process gets SIGTERM when the process that started it ends, even by kill -9."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def how_it_ended(process: "subprocess.Popen[bytes]") -> str | None:
    """`exit code 3`, `signal SIGKILL`, or None while it runs."""
    code = process.poll()
    if code is None:
        return None
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def last_line(log: Path) -> str:
    """The last line with something in it that a program wrote, "" when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 4096))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")

"""What a process has used: CPU and memory, from /proc."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_ENDED: Final = (FileNotFoundError, ProcessLookupError)  # while we looked: when it is opened, or when it is read


def cpu_s(pid: int) -> float:
    """User and system time of a process and of all below it, those that have ended too, in seconds."""
    spent = 0.0
    for below in reversed(_tree(pid)[1:]):  # before its parent, whose it is once it has ended
        with suppress(*_ENDED):
            spent += _own_cpu_s(below)
    return spent + _own_cpu_s(pid)


def peak_rss_mb(pid: int) -> float:
    """The most memory that the process has held so far, in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _own_cpu_s(pid: int) -> float:
    """utime, stime, and those of children that ended (cutime, cstime): fields 14 to 17 of /proc/PID/stat."""
    return sum(int(field) for field in _stat(pid)[11:15]) * _TICK_S


def _tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(*_ENDED):
            children.setdefault(int(_stat(int(path.name))[1]), []).append(int(path.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields after the command's name, which may hold spaces; [0] is the state, field 3."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()

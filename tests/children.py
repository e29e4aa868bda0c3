"""The processes that a process has started, as /proc shows them now."""

from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """Pid -> command line of each child of `pid` that still runs; one that ends while we look is left out."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    found: dict[int, str] = {}
    for each in listed:
        try:
            command = Path(f"/proc/{each}/cmdline").read_text(encoding="utf-8").replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if command:  # a process that ended and was not yet waited for has none
            found[int(each)] = command
    return found

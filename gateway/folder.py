"""Small files in the gateway's folder: written whole or not at all, and never the reason why a gateway stands still."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

T = TypeVar("T")
_log = structlog.get_logger()


def write_whole(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replaces the file at once: after a power cut it holds the old or the new content, never a half.

    Raises:
        OSError: the disk is full or broken; the old content stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)  # a file that a cut-off write left behind keeps its old mode
        file.write(content)
        if durable:
            file.flush()
            os.fsync(descriptor)
    new.rename(path)


def read_struct(path: Path, kind: type[T]) -> T | None:
    """The file's content, or None when there is none or it is damaged: what it knew is then learned anew."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        _log.warning("file_unreadable", file=path.name, error=str(error))
        return None

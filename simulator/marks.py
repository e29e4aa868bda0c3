"""Up to when each home has been played: eight bytes a home in one file, written in place."""

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_SLOT: Final = struct.Struct("<q")


class Marks:
    """The file `played-{seed}` in `folder`; a slot is ms since 1970, 0 = nothing played yet.

    Writing a slot is one aligned eight-byte write, so a killed process leaves the old mark or the new one.
    A kill between a gateway's taking the messages and the mark plays those few again.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / f"played-{seed}", os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, home: int) -> int | None:
        """Up to when home `home` (from 1) has been played, or None."""
        slot = os.pread(self._file, _SLOT.size, home * _SLOT.size)
        moment = _SLOT.unpack(slot)[0] if len(slot) == _SLOT.size else 0
        return moment or None

    def set(self, home: int, moment: int) -> None:
        os.pwrite(self._file, _SLOT.pack(moment), home * _SLOT.size)

    def close(self) -> None:
        os.close(self._file)

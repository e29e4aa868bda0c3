"""The reserve: room on the disk that is given up when an urgent reading needs it."""

import os
import shutil
from pathlib import Path
from typing import Final

BYTES: Final = 1024 * 1024  # some forty urgent batches with what SQLite writes around them
_ROOM: Final = 8 * BYTES  # the reserve is made again only when there is much more room than it takes


class Reserve:
    """A file of nothing at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.keep()

    def keep(self) -> None:
        """Makes the reserve when it is not there and the disk has room. A disk that refuses is asked again later."""
        if self._path.exists() or shutil.disk_usage(self._path.parent).free < _ROOM:
            return
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BYTES)
            beside.replace(self._path)
        except OSError:  # the room went meanwhile; without a reserve urgent readings have the memory still
            beside.unlink(missing_ok=True)

    def release(self) -> bool:
        """Gives the room back; returns whether there was any."""
        try:
            self._path.unlink()
        except OSError:  # not there, or the disk takes no change at all
            return False
        return True

"""Where the recordings are: the folder named by YIJU_DATA, or shared/data beside the repository or above it.

They are others' data: tests read them, the project never holds them.
"""

import os
from pathlib import Path

from tests.needs import need

_ROOT = Path(__file__).parents[1]


def recorded(name: str) -> Path:
    """The path of one file of the recordings; skips the test, naming the file, where it is not."""
    named = os.environ.get("YIJU_DATA")
    folders = [Path(named)] if named else [above / "shared" / "data" for above in _ROOT.parents[:2]]
    found = next((folder / name for folder in folders if (folder / name).exists()), None)
    where = ", ".join(map(str, folders))
    need(found is not None, f"{name} is in none of {where}: set YIJU_DATA to the folder of the recordings")
    return found or _ROOT  # `need` has left already when nothing was found

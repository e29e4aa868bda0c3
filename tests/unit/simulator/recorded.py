"""Where the recorded homes are: the folder named by YIJU_DATA, or shared/data beside the repository or above it."""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]


def recorded(name: str) -> Path:
    """The path of one file of the recordings; skips the test, naming the file, where it is not."""
    named = os.environ.get("YIJU_DATA")
    folders = [Path(named)] if named else [above / "shared" / "data" for above in _ROOT.parents[:2]]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"{name} is in none of {', '.join(map(str, folders))}: set YIJU_DATA to the folder of the recordings")

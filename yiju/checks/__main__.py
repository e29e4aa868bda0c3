"""python -m yiju.checks: every check of this package, from the checkout's root."""

import sys
from pathlib import Path

from yiju.checks import catalogues, documentation


def main() -> int:
    """Prints each fault; 1 when there is any."""
    root = Path.cwd()
    faults = [*catalogues.faults(root), *documentation.faults(root)]
    for fault in faults:
        print(fault)
    print(f"catalogues and documentation: {len(faults)} faults" if faults else "catalogues and documentation: complete")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

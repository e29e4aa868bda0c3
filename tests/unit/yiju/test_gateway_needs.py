"""What a small box installs is what the gateway needs, with the platform's own pins."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

REPO = Path(__file__).parents[3]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ \\]+)", re.MULTILINE)


def pins(path: str) -> dict[str, str]:
    return {name.lower(): version for name, version in PIN.findall((REPO / path).read_text(encoding="utf-8"))}


def test_the_pins_are_the_platforms_own() -> None:
    ours, all_of_them = pins("deploy/gateway/requirements.lock"), pins("requirements.lock")
    assert ours.items() <= all_of_them.items()
    assert len(ours) < 20


def test_nothing_else_is_loaded_by_the_gateways_commands() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import yiju.cli, gateway.service, gateway.status, gateway.enrolment\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    distributions = packages_distributions()
    loaded = {
        re.sub(r"[-_.]+", "-", name).lower() for module in done.stdout.split() for name in distributions.get(module, [])
    }
    assert loaded
    # structlog takes greenlet, and rich attrs, where they happen to be installed, and do without
    assert loaded - {"greenlet", "attrs"} <= pins("deploy/gateway/requirements.lock").keys()

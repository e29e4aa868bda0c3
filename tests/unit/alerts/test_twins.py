"""Every detector, and everything that is learned for one, is compared with a naive twin somewhere."""

import ast
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from alerts import detect

HERE = Path(__file__).parent
LEARNED = {
    "alike.alike", "calibrate.surprises", "calibrate.tails", "coverage.holes", "drift.days_of", "drift.trend",
    "hazard.learn", "personal.limits", "power.outages", "power.signs", "power.steps", "routine.learn",
}  # fmt: skip


def detectors() -> set[str]:
    """`module.function` of each function that finds something."""
    modules: list[ModuleType] = [import_module(f"alerts.detect.{one.name}") for one in iter_modules(detect.__path__)]
    names = {module.__name__.rpartition(".")[2]: vars(module) for module in modules}
    return {
        f"{name}.{function}"
        for name, known in names.items()
        for function in known
        if function.split("_")[0] == "find" and known[function].__module__ == f"alerts.detect.{name}"
    }


def compared() -> set[str]:
    """What the tests that import an oracle call by `module.function`."""
    found: set[str] = set()
    for path in HERE.glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if "tests.oracles" in imported:
            found |= {
                f"{node.value.id}.{node.attr}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            }
    return found


def test_none_of_them_is_without_one() -> None:
    assert detectors() - compared() == set()
    assert LEARNED - compared() == set()
    assert len(detectors()) >= 22

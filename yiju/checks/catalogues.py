"""The catalogues of visible words: both languages have the same keys and places, and the code uses them all."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Final

from core.words import LOCALES, read_catalogue

PACKAGES: Final = (
    "core", "store", "gateway", "ingest", "alerts", "care", "api", "simulator", "bench", "evaluation", "yiju",
)  # fmt: skip
KEY: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
Texts = dict[str, str | tuple[str, ...]]


def faults(root: Path) -> Iterator[str]:
    """One sentence for each key that is missing, empty, different between languages, unknown or unused."""
    catalogues = {locale: read_catalogue(locale) for locale in LOCALES}
    yield from compare(catalogues)
    yield from compare_use(set().union(*catalogues.values()), *read_uses(root))


def compare(catalogues: dict[str, Texts]) -> Iterator[str]:
    """Faults between the languages."""
    keys = sorted(set().union(*catalogues.values()))
    for key in keys:
        places = {}
        for locale, texts in catalogues.items():
            if key not in texts:
                yield f"core/words/{locale}: {key} is missing"
                continue
            forms = texts[key] if isinstance(texts[key], tuple) else (texts[key],)
            if not all(forms):
                yield f"core/words/{locale}: {key} is empty"
            places[locale] = set().union(*(places_of(str(form)) for form in forms))
        if len({frozenset(found) for found in places.values()}) > 1:
            yield f"core/words: {key} has different places: " + ", ".join(
                f"{locale} {sorted(found)}" for locale, found in places.items()
            )


def places_of(text: str) -> set[str]:
    """The named places of a text; `n`, which chooses the plural, may be left out of a form."""
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(text) if name} - {"n"}


def read_uses(root: Path) -> tuple[set[str], list[re.Pattern[str]]]:
    """What code and templates ask for: keys, and patterns of keys that are put together (`f"room.{kind}"`)."""
    keys: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
                    keys.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    patterns.extend(_pattern(node))
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".html", ".js"):
                found, put_together = _in_template(path.read_text(encoding="utf-8"))
                keys |= found
                patterns += put_together
    return keys, patterns


def compare_use(known: set[str], used: set[str], patterns: list[re.Pattern[str]]) -> Iterator[str]:
    """Keys that are used and not there, and keys that nobody uses.

    A dotted word counts as a key when the catalogue knows its first two parts, so that file names do not.
    """
    families = {key.rpartition(".")[0] for key in known}
    for key in sorted(used - known):
        if key.rpartition(".")[0] in families:
            yield f"core/words: {key} is used and in no catalogue"
    for key in sorted(known - used):
        if not any(pattern.fullmatch(key) for pattern in patterns):
            yield f"core/words: {key} is used nowhere"


def _pattern(node: ast.JoinedStr) -> Iterator[re.Pattern[str]]:
    parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z0-9_.]+" for part in node.values]
    first = node.values[0] if node.values else None
    if isinstance(first, ast.Constant) and re.match(r"[a-z][a-z0-9_]*\.", str(first.value)):
        yield re.compile("".join(parts))


def _in_template(text: str) -> tuple[set[str], list[re.Pattern[str]]]:
    keys = set(re.findall(rf"['\"]({KEY.pattern})['\"]", text))
    # "room." ~ kind: a key that is put together
    begun = re.findall(r"['\"]([a-z][a-z0-9_.]*\.)['\"]\s*[~+]", text)
    return keys, [re.compile(re.escape(start) + r"[a-z0-9_.]+") for start in begun]

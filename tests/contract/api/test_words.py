"""Every word of the pages stands in both languages, with the same places."""

import re
from pathlib import Path

import pytest

import api
from core.metrics import METRICS
from core.model import AlertKind, DeviceKind, Outcome, RoomKind, Severity
from core.words import LOCALES, read_catalogue

FOLDER = Path(api.__file__).parent
ASKED = re.compile(r"""(?:\bt|\bwords)\(["']([a-z_.]+)["']""")


def asked_for() -> set[str]:
    """Keys that templates and pages name outright."""
    files = [*FOLDER.glob("templates/*.html"), *FOLDER.glob("pages/*.py")]
    found = {key for path in files for key in ASKED.findall(path.read_text(encoding="utf-8"))}
    return {key for key in found if not key.endswith(".")}


def put_together() -> set[str]:
    """Keys that are made of a kind's name."""
    kinds = {"alert.kind": AlertKind, "alert.outcome": Outcome, "alert.severity": Severity, "device": DeviceKind,
             "room": RoomKind}  # fmt: skip
    keys = {f"{start}.{one.value}" for start, values in kinds.items() for one in values}
    keys |= {f"metric.{metric.name}" for metric in METRICS}
    keys |= {f"web.nav.{name}" for name in ("alerts", "homes", "overview", "family")}
    keys |= {f"web.today.title.{name}" for name in ("usual", "unusual", "unseen", "learning")}
    return keys | {f"web.delivery.{name}" for name in ("queued", "sent", "failed")}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_of_the_pages_is_there(locale: str) -> None:
    texts = read_catalogue(locale)
    assert len(asked_for()) > 60
    assert sorted(key for key in asked_for() | put_together() if not texts.get(key)) == []


def test_both_languages_have_the_same_places() -> None:
    def places(text: str | tuple[str, ...]) -> set[str]:
        return set(re.findall(r"{(\w+)}", text if isinstance(text, str) else text[-1]))

    chinese, english = (read_catalogue(locale) for locale in LOCALES)
    web = [key for key in chinese if key.startswith(("web.", "device.", "metric."))]
    assert [key for key in web if places(chinese[key]) != places(english[key])] == []


def test_no_page_holds_a_word_of_its_own() -> None:
    for path in FOLDER.glob("templates/*.html"):
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<[^>]*>", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-z]{3,}|[一-鿿]+", text)) - {"English", "doctype"}
        assert words <= {"中文"}, (path.name, words)

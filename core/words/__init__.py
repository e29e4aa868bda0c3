"""Every visible word, by key, in zh_CN (first) and en (complete).

The catalogue is gettext .po, one file a part: `core/words/zh_CN/alerts.po`, `core/words/en/alerts.po`.
A `msgid` is a key (`alert.fall.title`), a `msgstr` has named places (`{room}`), plurals are gettext plurals
chosen by the parameter `n`. What is stored (alerts, findings) is the key with its parameters; it is worded
only when somebody reads it, in that person's language.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LOCALES: Final = ("zh_CN", "en")
DEFAULT_LOCALE: Final = "zh_CN"
FOLDER: Final = Path(__file__).parent


def load_words() -> dict[str, "Words"]:
    """All languages, by locale name. Built once at an entry point and passed down."""
    return {locale: Words(locale, read_catalogue(locale)) for locale in LOCALES}


def read_catalogue(locale: str) -> dict[str, str | tuple[str, ...]]:
    """Key -> text (or plural forms) of one locale.

    Raises:
        ValueError: a key stands in two parts.
    """
    texts: dict[str, str | tuple[str, ...]] = {}
    for path in sorted((FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            catalogue: Catalog = read_po(file, locale=locale)
        for message in catalogue:
            key = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
            if not key:
                continue  # the header
            if key in texts:
                raise ValueError(f"{path.name}: the key {key!r} stands in another part too")
            string = message.string
            texts[key] = tuple(string) if isinstance(string, (tuple, list)) else string or ""
    return texts


class Words:
    """One language's words.

    Attributes:
        locale: `zh_CN` or `en`.
    """

    def __init__(self, locale: str, texts: Mapping[str, str | tuple[str, ...]]) -> None:
        self.locale = locale
        self._babel = Locale.parse(locale)
        self._texts = texts

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def __call__(self, key: str, **parameters: Any) -> str:
        """The text of `key` with its places filled.

        A parameter that is itself a `Mapping` with "key" is worded first (`{"key": "room.kitchen"}`), so a
        stored explanation may name a room or a kind without holding a word of any language.

        Raises:
            KeyError: no such key, or a place without a parameter: both are faults in the code, not the data.
        """
        text = self._texts[key]
        if isinstance(text, tuple):
            text = text[self._plural(parameters["n"])]
        filled = {name: self._word(value) for name, value in parameters.items()}
        return text.format(**filled)

    def _word(self, value: Any) -> Any:
        if isinstance(value, Mapping) and "key" in value:
            return self(value["key"], **{name: inner for name, inner in value.items() if name != "key"})
        return value

    def _plural(self, n: float) -> int:
        """Index of the plural form. Chinese has one form; English has two."""
        return 0 if self.locale == "zh_CN" or n == 1 else 1

    def span(self, span: timedelta) -> str:
        """A duration for people: `3 小时 40 分钟`, `3 hours 40 minutes`, `less than a minute`. Rounded down."""
        minutes = max(0, int(span.total_seconds() // 60))
        days, rest = divmod(minutes, 24 * 60)
        hours, minutes = divmod(rest, 60)
        parts = [(days, "day"), (hours, "hour"), (minutes if not days else 0, "minute")]
        shown = [format_timedelta(timedelta(**{f"{unit}s": n}), unit, threshold=1e9, locale=self._babel)  # type: ignore[arg-type]
                 for n, unit in parts if n]  # fmt: skip
        return " ".join(shown) or self("span.short")

    def moment(self, moment: datetime, zone: str, now: datetime) -> str:
        """A time in the home's zone: the clock time today, else with its date."""
        local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
        clock = format_time(local, "HH:mm", locale=self._babel)
        if local.date() == today:
            return clock
        pattern = "medium" if local.year != today.year else ("M月d日" if self.locale == "zh_CN" else "d MMM")
        return f"{format_date(local.date(), pattern, locale=self._babel)} {clock}"

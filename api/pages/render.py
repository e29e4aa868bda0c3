"""Pages from templates, in the reader's language. No HTML is written in Python."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from babel.dates import format_date
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.access import Visit
from core.model import Role
from core.words import DEFAULT_LOCALE, LOCALES, Words

LANGUAGE_COOKIE: Final = "yiju_language"
HTML_LANGUAGE: Final = {"zh_CN": "zh-CN", "en": "en"}


class Pages:
    """Renders every template of api/templates."""

    def __init__(self, words: dict[str, Words], zone: str, public_url: str, *, demo: bool = False) -> None:
        self._words = words
        self._zone = zone
        self._public_url = public_url
        self._demo = demo
        self._templates = Environment(
            loader=PackageLoader("api"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, visit: Visit, template: str, **context: Any) -> HTMLResponse:
        """A page, or a fragment of one, for somebody who is signed in."""
        page = self._render(
            template,
            visit.words,
            person=visit.person,
            links=links(visit.person.roles, demo=self._demo),
            now=visit.now,
            moment=lambda moment, zone: visit.words.moment(moment, zone, visit.now),
            ago=lambda moment: visit.words.span(visit.now - moment),
            platform_zone=self._zone,
            public_url=self._public_url,
            **context,
        )
        # live.js says with it how fresh the page is, on the platform's clock, not the phone's
        page.headers["X-Yiju-Time"] = clock_time(visit.words, visit.now, self._zone)
        return page

    def show_stranger(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A page for somebody of whom only the browser's language is known."""
        words = self._words[locale_of(request)]
        return self._render(template, words, status, person=None, links=[], **context)

    def show_known(self, visit: Visit, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A page for somebody whom a link names and who is not signed in: in their language, with no way further in."""
        moment = lambda at, zone: visit.words.moment(at, zone, visit.now)  # noqa: E731
        return self._render(template, visit.words, status, person=None, links=[], moment=moment, **context)

    def error(self, request: Request, status: int, code: str) -> HTMLResponse:
        """The page that says what went wrong and where to go on."""
        visit: Visit | None = getattr(request.state, "visit", None)
        words = visit.words if visit else self._words[locale_of(request)]
        key = f"web.error.{code}" if f"web.error.{code}" in words else "web.error.internal"
        return self._render("error.html", words, status, person=None, links=[], message=words(key))

    def _render(self, template: str, words: Words, status: int = 200, **context: Any) -> HTMLResponse:
        text = self._templates.get_template(template).render(
            t=words,
            language=HTML_LANGUAGE[words.locale],
            locale=words.locale,
            day_name=lambda day: day_name(words, day),
            weekday=lambda day: weekday(words, day),
            span=lambda seconds: words.span(timedelta(seconds=seconds)),
            url=quote,
            **context,
        )
        return HTMLResponse(text, status)


def links(roles: frozenset[Role], *, demo: bool = False) -> list[tuple[str, str]]:
    """(path, key of its word) of the pages that these roles use, the landing page first."""
    found: list[tuple[str, str]] = []
    if roles & {Role.WORKER, Role.ADMIN, Role.CENTRE}:
        found += [("/alerts", "alerts"), ("/homes", "homes")]
    if roles & {Role.MANAGER, Role.ADMIN}:
        found.append(("/overview", "overview"))
        found.append(("/try-out", "tryout"))
        found += [one for one in (("/alerts", "alerts"), ("/homes", "homes")) if one not in found]
    if found:
        found.append(("/shifts", "shifts"))
        if demo:
            found.append(("/phones", "phones"))
    if Role.FAMILY in roles:
        found.append(("/family", "family"))
    return found


def locale_of(request: Request) -> str:
    """The language chosen on this device, else what the browser asks for, else Chinese."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LOCALES:
        return chosen
    ranked: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, rest = part.strip().partition(";q=")
        try:
            weight = float(rest) if rest else 1.0
        except ValueError:  # a browser that writes nonsense gets no say
            continue
        found = next((locale for locale in LOCALES if locale[:2] == tag[:2].lower()), None)
        if found:
            ranked.append((-weight, found))
    return min(ranked)[1] if ranked else DEFAULT_LOCALE


def day_name(words: Words, day: date) -> str:
    """`Mon 2 Mar`, `3月2日周一`."""
    return format_date(day, "M月d日 EEE" if words.locale == "zh_CN" else "EEE d MMM", locale=words.locale)


def weekday(words: Words, day: date) -> str:
    """`Mon 2`, `周一 2日`: short enough for the side of a chart on a phone."""
    return format_date(day, "EEE d日" if words.locale == "zh_CN" else "EEE d", locale=words.locale)


def local_path(path: str) -> str:
    """`path` when it is one of ours, else `/`: nobody is sent away to another site after a login."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def clock_time(words: Words, moment: datetime, zone: str) -> str:
    """HH:MM in the home's zone."""
    return words.moment(moment, zone, moment)

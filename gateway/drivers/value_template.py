"""The value templates of discovery configurations, in the simple forms that devices use.

A small interpreter of our own: nothing in a template can call into the program, loop, or grow without bound. It reads
`{{ expression }}`, `{% if %}`, `{% elif %}`, `{% else %}`, `{% set %}`; names, `.key`, `['key']`, literals,
comparisons, `and or not in is`, arithmetic, `a if b else c`, and the filters of template_words.py. Anything else is
refused when the template is read, never guessed at. What it reads means what Home Assistant's Jinja means by it.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.drivers.template_expression import CONSTANTS, MAX_DEPTH, WORDS, Expression, Names, NotUnderstood, parse
from gateway.drivers.template_words import UNDEFINED, CannotRender, bounded, text_of

__all__ = ["CannotRender", "NotUnderstood", "Template"]

MAX_TEMPLATE: Final = 2_000  # characters
_SEGMENTS: Final = re.compile(r"\{\{(-?)(.*?)(-?)\}\}|\{%(-?)(.*?)(-?)%\}|\{#(-?).*?(-?)#\}", re.DOTALL)


class _Segment(NamedTuple):
    kind: str
    text: str


class Template:
    """A template, ready to render.

    Raises:
        NotUnderstood: it has a form that is not read.
    """

    def __init__(self, source: str) -> None:
        if len(source) > MAX_TEMPLATE:
            raise NotUnderstood(f"longer than {MAX_TEMPLATE} characters")
        self._render = _Block(_segments(source)).whole()

    def render(self, value: str, value_json: object = UNDEFINED) -> str:
        """The text for a message.

        Args:
            value: the message as text.
            value_json: the message as a JSON value; left out where it is none.

        Raises:
            CannotRender: the message has not what the template asks for.
        """
        try:
            return self._render({"value": value, "value_json": value_json}).strip()
        except (ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
            raise CannotRender(str(error)) from error


def _segments(source: str) -> list[_Segment]:
    """Text, expressions ("{{") and statements ("{%"), the white space that a "-" eats left out."""
    found: list[_Segment] = []
    start, eat = 0, False
    for match in _SEGMENTS.finditer(source):
        text = source[start : match.start()]
        text = text.lstrip() if eat else text
        found.append(_Segment("text", text.rstrip() if match[1] or match[4] or match[7] else text))
        if match[2] is not None:
            found.append(_Segment("{{", match[2]))
        elif match[5] is not None:
            found.append(_Segment("{%", match[5]))
        start, eat = match.end(), bool(match[3] or match[6] or match[8])
    rest = source[start:]
    found.append(_Segment("text", rest.lstrip() if eat else rest))
    if any(token.kind == "text" and re.search(r"\{[{%#]", token.text) for token in found):
        raise NotUnderstood("a bracket is never closed")
    return found


class _Block:
    """Reads segments into one function from names to text."""

    def __init__(self, segments: list[_Segment]) -> None:
        self._segments = segments
        self._at = 0
        self._rest = ""  # what stood behind the last elif

    def whole(self) -> Callable[[Names], str]:
        body, ended = self._body(0)
        if ended:
            raise NotUnderstood(f"{ended} without if")
        return body

    def _body(self, depth: int) -> tuple[Callable[[Names], str], str]:
        """The segments up to elif, else, endif or the end, and which of these it was."""
        if depth > MAX_DEPTH:
            raise NotUnderstood("too deep")
        parts: list[Callable[[Names], str]] = []
        while self._at < len(self._segments):
            kind, text = self._segments[self._at]
            self._at += 1
            if kind == "text":
                parts.append(lambda names, text=text: text)  # type: ignore[misc]
            elif kind == "{{":
                expression = parse(text)
                parts.append(lambda names, expression=expression: text_of(expression(names)))  # type: ignore[misc]
            else:
                word, _, rest = text.strip().partition(" ")
                if word in ("elif", "else", "endif"):
                    self._rest = rest
                    return _joined(parts), word
                parts.append(self._statement(word, rest, depth))
        return _joined(parts), ""

    def _statement(self, word: str, rest: str, depth: int) -> Callable[[Names], str]:
        if word == "set" and (match := re.fullmatch(r"\s*([A-Za-z]\w*)\s*=(?!=)(.*)", rest, re.DOTALL | re.ASCII)):
            name, expression = match[1], parse(match[2])

            def assign(names: Names) -> str:
                names[name] = expression(names)
                return ""

            if name not in CONSTANTS and name not in WORDS:
                return assign
        if word != "if":
            raise NotUnderstood(f"{word} is no statement that is read")
        return self._condition(rest, depth)

    def _condition(self, rest: str, depth: int) -> Callable[[Names], str]:
        branches: list[tuple[Expression, Callable[[Names], str]]] = []
        otherwise: Callable[[Names], str] = _joined([])
        test = parse(rest)
        while True:
            body, ended = self._body(depth + 1)
            branches.append((test, body))
            if ended == "elif":
                test = parse(self._rest)
                continue
            if ended == "else":
                otherwise, ended = self._body(depth + 1)
            if ended != "endif":
                raise NotUnderstood("if without endif")
            break

        def choose(names: Names) -> str:
            for test, body in branches:
                if test(names):
                    return body(names)
            return otherwise(names)

        return choose


def _joined(parts: list[Callable[[Names], str]]) -> Callable[[Names], str]:
    def render(names: Names) -> str:
        text = ""
        for part in parts:
            text = bounded(text + part(names))
        return text

    return render

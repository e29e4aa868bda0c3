"""The filters, functions and tests of value templates, meaning what Home Assistant means by them."""

from collections.abc import Callable, Iterator
from typing import Any, Final

MAX_TEXT: Final = 10_000  # characters
_MAX_DIGITS: Final = 15  # of `round`


class CannotRender(ValueError):
    """The message has not what the template asks for: no reading, as Home Assistant keeps the old state."""


class _Undefined:
    """What a name or a key that is not there stands for: an empty text, false, and nothing to count with."""

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __str__(self) -> str:
        return ""

    __repr__ = __str__


UNDEFINED: Final = _Undefined()
_NONE_GIVEN: Final = object()


def text_of(value: object) -> str:
    return str(value)


def bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise CannotRender("a text grows too long")
    return text


def is_number(value: object) -> bool:
    """Whether one can count with it; true and false are 1 and 0."""
    return isinstance(value, int | float)


def _float(value: Any, default: object = _NONE_GIVEN) -> object:
    return _converted(float, value, default)


def _int(value: Any, default: object = _NONE_GIVEN) -> object:
    return _converted(_whole, value, default)


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return int(float(value))


def _converted(convert: Callable[[Any], object], value: object, default: object) -> object:
    _needed(value)
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        if default is _NONE_GIVEN:
            raise CannotRender(f"{value!r:.40} is no number") from None
        return default


def _round(value: Any, digits: Any = 0, method: object = "common", default: object = _NONE_GIVEN) -> object:
    if method != "common" or not isinstance(digits, int) or abs(digits) > _MAX_DIGITS:
        raise CannotRender("this way to round is not read")
    return _converted(lambda v: round(float(v)) if digits == 0 else round(float(v), digits), value, default)


def _default(value: object, otherwise: object = "", also_false: object = False) -> object:
    return otherwise if value is UNDEFINED or (also_false and not value) else value


def _abs(value: Any) -> object:
    if not is_number(value):
        raise CannotRender(f"{value!r:.40} is no number")
    return abs(value)


def _needed(value: object) -> object:
    if value is UNDEFINED:
        raise CannotRender("what is asked for is not there")
    return value


def _replace(value: object, old: object, new: object) -> str:
    text, gone, put = text_of(value), text_of(old), text_of(new)
    if len(text) + text.count(gone) * len(put) > MAX_TEXT:
        raise CannotRender("a text grows too long")
    return text.replace(gone, put)


def _if(value: object, then: object = True, otherwise: object = False, if_none: object = _NONE_GIVEN) -> object:
    if value is None and if_none is not _NONE_GIVEN:
        return if_none
    return then if value else otherwise


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "float": _float,
    "int": _int,
    "round": _round,
    "default": _default,
    "d": _default,
    "lower": lambda value: text_of(value).lower(),
    "upper": lambda value: text_of(value).upper(),
    "trim": lambda value: text_of(value).strip(),
    "string": text_of,
    "replace": _replace,
    "abs": _abs,
    "is_defined": _needed,
    "iif": _if,
}
TESTS: Final[dict[str, Callable[[object], bool]]] = {
    "defined": lambda value: value is not UNDEFINED,
    "undefined": lambda value: value is UNDEFINED,
    "none": lambda value: value is None,
    "number": is_number,
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
}

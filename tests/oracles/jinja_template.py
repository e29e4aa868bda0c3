"""Value templates as Jinja renders them, with the filters as Home Assistant defines them. The slow twin of
gateway/drivers/value_template.py."""

from typing import Any

from jinja2 import Environment, Undefined
from jinja2.exceptions import UndefinedError

_NONE_GIVEN = object()


def _no_default(value: object) -> Any:
    raise ValueError(f"{value!r} and no default")


def _float(value: Any, default: Any = _NONE_GIVEN) -> Any:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return _no_default(value) if default is _NONE_GIVEN else default


def _int(value: Any, default: Any = _NONE_GIVEN) -> Any:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return _no_default(value) if default is _NONE_GIVEN else default


def _round(value: Any, precision: int = 0, method: str = "common", default: Any = _NONE_GIVEN) -> Any:
    try:
        rounded = round(float(value), precision)
        return int(rounded) if precision == 0 else rounded
    except (ValueError, TypeError, OverflowError):
        return _no_default(value) if default is _NONE_GIVEN else default


def _is_defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise UndefinedError("not defined")
    return value


def _iif(value: Any, then: Any = True, otherwise: Any = False) -> Any:
    return then if value else otherwise


def render(source: str, value: str, value_json: Any = _NONE_GIVEN) -> str | None:
    """The text that Home Assistant makes of it, None where it makes an error."""
    environment = Environment(autoescape=False)  # no page is made of it
    words = {"float": _float, "int": _int, "round": _round, "is_defined": _is_defined, "iif": _iif}
    environment.filters.update(words)
    environment.globals.update(float=_float, int=_int, iif=_iif)
    names = {"value": value} if value_json is _NONE_GIVEN else {"value": value, "value_json": value_json}
    try:
        return environment.from_string(source).render(names).strip()
    except Exception:  # noqa: BLE001  # the oracle only says that there is no text
        return None

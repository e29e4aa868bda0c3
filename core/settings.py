"""Settings: typed, read once from `YIJU_*` at an entry point, then passed down.

A service declares a frozen msgspec.Struct. Field `broker_url` is read from `YIJU_BROKER_URL`; its
`Meta(description=...)` is what `yiju settings` prints. Durations are floats in seconds, named `..._s`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from core.errors import SettingsError

T = TypeVar("T", bound=msgspec.Struct)


class Described(NamedTuple):
    """One setting, for `yiju settings`."""

    variable: str
    type: str
    default: str | None  # None: must be set
    description: str


def read_settings(kind: type[T], environment: Mapping[str, str]) -> T:
    """Builds `kind` from the environment. A variable that is set but empty counts as not set.

    Raises:
        SettingsError: naming the variable, its value and what is wanted.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        variable = variable_of(field.name)
        text = environment.get(variable, "")
        if text == "":
            if field.required:
                raise SettingsError(f"{variable} is not set: {_description(field)}. `yiju settings` lists them all")
            continue
        try:
            values[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            shown = "(hidden)" if is_secret(variable) else repr(text)
            raise SettingsError(f"{variable} is {shown}: {error}. It is: {_description(field)}") from error
    return kind(**values)


def describe_settings(kind: type[msgspec.Struct]) -> list[Described]:
    """Every setting of `kind`, in order."""
    return [
        Described(
            variable_of(field.name),
            _type_name(field.type),
            None if field.required else _default(field),
            _description(field),
        )
        for field in msgspec.structs.fields(kind)
    ]


def variable_of(name: str) -> str:
    return "YIJU_" + name.upper()


def is_secret(variable: str) -> bool:
    """Whether the value may hold a password and must not be printed."""
    return any(word in variable for word in ("URL", "PASSWORD", "SECRET", "TOKEN", "KEY"))


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return str(value)


def _description(field: msgspec.structs.FieldInfo) -> str:
    for meta in getattr(field.type, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            return meta.description
    return "no description"


def _type_name(kind: Any) -> str:
    inner = getattr(kind, "__origin__", kind)
    return getattr(inner, "__name__", str(inner))

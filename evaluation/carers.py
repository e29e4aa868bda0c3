"""Whether carers come to simulated homes."""

from enum import StrEnum


class Carers(StrEnum):
    """Whether carers come to each third home (simulator/season/visits.py), and whether the platform hears of it."""

    NONE = "none"
    UNLOGGED = "unlogged"
    LOGGED = "logged"

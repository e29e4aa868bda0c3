"""What every request of one app shares, built once in `create_app` and reached through the request."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from core.clock import Clock
from core.words import Words
from store.pool import Pool

if TYPE_CHECKING:
    from api.auth import Doorkeeper, Throttle
    from api.demo.phones import Phones
    from api.metrics import Counters
    from api.pages.render import Pages
    from api.service import Settings
    from api.stream import Switchboard


@dataclass(frozen=True)
class House:
    """The app's own things; no module holds any of them."""

    settings: "Settings"
    clock: Clock
    pool: Pool
    words: dict[str, Words]
    doorkeeper: "Doorkeeper"
    switchboard: "Switchboard"
    pages: "Pages"
    counters: "Counters"
    enrolments: "Throttle"  # the brake on guessing codes
    replies: "Throttle"  # ... and those of text messages
    phones: "Phones | None" = None  # the demo's; None = this is no demo


def house_of(request: Request) -> House:
    """The house that answers this request."""
    house: House = request.app.state.house
    return house

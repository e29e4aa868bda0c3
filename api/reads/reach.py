"""How people are reached: one's own channels, and for managers those of their people."""

from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from api.access import Visit
from core.errors import Conflict, NotAllowed, NotFound, RegisterError
from core.model import Role
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "reach.sql")
MOST_OWN: Final = 10
LONGEST: Final = 1000
Row = dict[str, Any]


def own_channels(visit: Visit) -> list[Row]:
    """One's channels in the order in which they are used: number, kind, what came of the last message. No address."""
    return visit.connection.execute(QUERIES["own_channels"]).fetchall()


def add_channel(visit: Visit, channel: str, kinds: str) -> None:
    """Adds a channel of one's own.

    Args:
        kinds: what people may enter themselves (YIJU_OWN_CHANNELS): services with a fixed address, as the platform must
            not be sent to one of its own network's machines by anybody who may sign in.

    Raises:
        RegisterError: not such a channel.
        Conflict: it is there already, or there are ten.
    """
    parts = _parts(channel)
    kind = channel.partition(":")[0].lower()
    if kind not in kinds.split() or parts is None or not parts.netloc or len(channel) > LONGEST:
        raise RegisterError(f"a channel begins with one of {kinds} and ://")
    row = visit.connection.execute(QUERIES["add_channel"], {"channel": channel}).fetchone()
    if not (row and row["added"]):
        raise Conflict(f"this channel is there already, or you have {MOST_OWN}: remove one first")


def remove_channel(visit: Visit, number: int) -> None:
    """Raises NotFound, also for one that the register has set."""
    row = visit.connection.execute(QUERIES["remove_channel"], {"number": number}).fetchone()
    if not (row and row["removed"]):
        raise NotFound(f"you have no channel {number} of your own")


def try_channel(visit: Visit, number: int) -> None:
    """Queues a test message. Raises NotFound."""
    if all(one["number"] != number for one in own_channels(visit)):
        raise NotFound(f"you have no channel {number}")
    visit.connection.execute(QUERIES["queue_test"], {"number": number, "now": visit.now})


def subscribe(visit: Visit, endpoint: str, p256dh: str, auth: str, browser: str, hosts: str) -> None:
    """This browser takes messages from now on.

    Args:
        hosts: of push services that are known (YIJU_PUSH_HOSTS), with all below them.

    Raises:
        RegisterError: the endpoint is no HTTPS address of one of them.
        Conflict: too many channels.
    """
    parts = _parts(endpoint)
    host = (parts and parts.hostname) or ""
    if (
        parts is None
        or parts.scheme != "https"
        or parts.username
        or not any(host == known or host.endswith("." + known) for known in hosts.split())
    ):
        raise RegisterError(f"{host!r} is no push service that this platform knows: YIJU_PUSH_HOSTS lists them")
    if sum(one["own"] for one in own_channels(visit)) >= MOST_OWN:
        raise Conflict(f"you have {MOST_OWN} channels: remove one first")
    visit.connection.execute(
        QUERIES["add_push"],
        {"host": host, "endpoint": endpoint, "p256dh": p256dh, "auth": auth, "browser": browser, "now": visit.now},
    )


def unsubscribe(visit: Visit, endpoint: str) -> None:
    """This browser takes none any more. Raises NotFound."""
    row = visit.connection.execute(QUERIES["remove_push"], {"endpoint": endpoint}).fetchone()
    if not (row and row["removed"]):
        raise NotFound("this browser was not subscribed by you")


def reach(visit: Visit) -> list[Row]:
    """The people of one's regions, those who cannot be reached first. Raises NotAllowed for who manages none."""
    if not visit.person.roles & {Role.MANAGER, Role.ADMIN}:
        raise NotAllowed("this is for managers")
    return visit.connection.execute(QUERIES["reach"]).fetchall()


def _parts(address: str) -> SplitResult | None:
    """None: it is no address at all, such as `lark://[`."""
    try:
        return urlsplit(address)
    except ValueError:
        return None

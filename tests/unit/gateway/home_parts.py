"""What the tests of a gateway's own parts share: a small configuration, and readings of it."""

from datetime import UTC, datetime, timedelta

from core.configuration import ButtonTests, Configuration, ConfiguredDevice, Prompts, Publication, Rule, Trigger
from core.model import Reading

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 9:00 in Shanghai
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PLUG, DOOR, SOS, SMOKE = "zigbee2mqtt/plug", "zigbee2mqtt/door", "zigbee2mqtt/sos", "zigbee2mqtt/smoke"
SIREN = Publication("zigbee2mqtt/Siren/set", '{"warning":{"mode":"burglar"}}')
ASK, TEST, THANKS = (Publication("voice/say", word) for word in ("all right?", "test please", "thank you"))


def configuration(*, sos_is_ok: bool = False, days: tuple[int, ...] = ()) -> Configuration:
    """A plug, a door, an SOS button and a smoke detector behind one hub; a siren and a voice."""
    kinds = ((PLUG, "plug", True), (DOOR, "contact", False), (SOS, "sos", False), (SMOKE, "smoke", False))
    return Configuration(
        devices=[ConfiguredDevice(address, kind, mains=mains) for address, kind, mains in kinds]
        + [ConfiguredDevice("gateway", "gateway", mains=True)],
        rules=[Rule([Trigger.SOS, Trigger.FALL, Trigger.SMOKE], [SIREN])],
        prompts=Prompts(ASK, TEST, THANKS, sos_is_ok),
        tests=ButtonTests(list(days), hour=10, seconds=120),
    )


def reading(device: str, metric: str, at: datetime, value: float = 1.0, *, late: timedelta = timedelta()) -> Reading:
    """A reading received at `at`, measured `late` before."""
    return Reading(device, metric, at - late, value, at)

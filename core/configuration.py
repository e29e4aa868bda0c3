"""What a gateway is told to be: its devices, and what it does on its own. The platform writes it, the gateway reads it.

A field that is absent has its default and one that is not known is passed over, so that a platform and a gateway
of different versions understand each other.
"""

import hashlib
from collections import Counter
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from core.errors import SettingsError

MAX_SECONDS: Final = 31 * 86_400
Seconds = Annotated[float, Meta(gt=0, le=MAX_SECONDS)]


class Trigger(StrEnum):
    """What makes a gateway act when the platform is out of reach."""

    SOS = "sos"
    FALL = "fall"  # the alarm, not the warning before it
    SMOKE = "smoke"
    GAS = "gas"


class Publication(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message for the home's own broker: a siren, a lamp, a loudspeaker."""

    topic: Annotated[str, Meta(min_length=1, max_length=500)]
    payload: Annotated[str, Meta(max_length=4000)] = ""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """When one of `when` happens and the platform is out of reach, all of `publish` is published."""

    when: Annotated[list[Trigger], Meta(min_length=1)]
    publish: Annotated[list[Publication], Meta(min_length=1, max_length=20)]


class Prompts(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the home is spoken to; what is absent cannot be said.

    Attributes:
        ask: "are you all right? press the button".
        test: "please press your emergency button now, this is a test".
        thanks: what is said when a press was taken as an answer or a test.
        sos_is_ok: the only button is the SOS button, and the prompt tells people to press it once if they are well. A
            second press is a call for help. Where it is false a press of SOS always is one.
    """

    ask: Publication | None = None
    test: Publication | None = None
    thanks: Publication | None = None
    sos_is_ok: bool = False


class ButtonTests(msgspec.Struct, frozen=True, omit_defaults=True):
    """When the gateway asks for a test press of the SOS buttons.

    Attributes:
        days: of the month; none = it never asks by itself.
        hour: of the day, in the home's zone.
        seconds: how long the press is waited for. The first press in this time is the test, a further one a call.
    """

    days: list[Annotated[int, Meta(ge=1, le=28)]] = []
    hour: Annotated[int, Meta(ge=0, le=23)] = 10
    seconds: Annotated[int, Meta(ge=10, le=600)] = 120


class Thresholds(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long things may take.

    Attributes:
        mains_s: silence of a device on mains power.
        battery_s: silence of one on a battery whose habits are not known yet.
        battery_most_s: the longest that a learned limit can be.
        out_of_reach_s: how long an urgent event may wait for the platform's acknowledgement while the line stands.
    """

    mains_s: Seconds = 15 * 60
    battery_s: Seconds = 26 * 3600
    battery_most_s: Seconds = 72 * 3600
    out_of_reach_s: Seconds = 20


class Options(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the register holds of a gateway's behaviour: `[home.gateway.options]` in docs/register.md."""

    rules: list[Rule] = []
    prompts: Prompts = Prompts()
    tests: ButtonTests = ButtonTests()
    thresholds: Thresholds = Thresholds()


class ConfiguredRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    key: str
    kind: str
    name: str = ""


class ConfiguredDevice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registered device. `kind` is a core.model.DeviceKind, as text: a later platform may know more of them."""

    address: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: str
    room: str = ""
    mains: bool = False


class Configuration(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a gateway is told."""

    zone: str = "Asia/Shanghai"
    devices: list[ConfiguredDevice] = []
    rooms: list[ConfiguredRoom] = []
    rules: list[Rule] = []
    prompts: Prompts = Prompts()
    tests: ButtonTests = ButtonTests()
    thresholds: Thresholds = Thresholds()


def digest_of(configuration: bytes) -> str:
    """What a version is known by: SHA-256 of the configuration's bytes, in hexadecimal."""
    return hashlib.sha256(configuration).hexdigest()


def read_configuration(content: bytes) -> Configuration:
    """Reads and checks a configuration.

    Raises:
        SettingsError: why a gateway cannot do what it says.
    """
    try:
        configuration = msgspec.json.decode(content, type=Configuration)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"it cannot be read: {error}") from error
    try:
        ZoneInfo(configuration.zone)
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(f"zone {configuration.zone!r} is not an IANA time zone") from error
    for address, times in Counter(device.address for device in configuration.devices).items():
        if times > 1:
            raise SettingsError(f"device {address!r} stands {times} times")
    check_topics(configuration)
    return configuration


def check_topics(options: Options | Configuration) -> None:
    """Raises SettingsError naming a topic that nobody can publish to."""
    prompts = options.prompts
    publications = [one for rule in options.rules for one in rule.publish]
    publications += [one for one in (prompts.ask, prompts.test, prompts.thanks) if one is not None]
    for one in publications:
        if any(sign in one.topic for sign in "+#\0") or one.topic.startswith("$"):
            raise SettingsError(f"topic {one.topic!r} cannot be published to: write it without +, # and $")

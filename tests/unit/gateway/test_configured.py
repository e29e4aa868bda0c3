"""A configuration is applied whole or refused with its reason, and what holds survives a restart."""

from pathlib import Path

import msgspec
import pytest

from core.configuration import Configuration, digest_of, read_configuration
from core.errors import SettingsError
from core.wire import ConfigurationState, Desired, encode
from gateway.configured import ConfigurationFile
from tests.unit.gateway.home_parts import configuration


def message(document: bytes, version: int = 1, digest: str | None = None) -> bytes:
    return encode(Desired(1, version, digest or digest_of(document), msgspec.Raw(document)))


GOOD = msgspec.json.encode(configuration())


def test_it_is_applied_kept_and_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "configuration.json"
    kept = ConfigurationFile(file)
    assert (kept.configuration, kept.configured) == (Configuration(), None)
    assert kept.take(message(GOOD, 3))
    assert not kept.take(message(GOOD, 3))  # retained, it comes at each connection
    again = ConfigurationFile(file)
    assert again.configuration == configuration()
    assert again.configured is not None
    assert (again.configured.version, again.configured.state) == (3, ConfigurationState.APPLIED)
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "cannot be read"),
        (b"\xff\x00", "cannot be read"),
        (message(GOOD).replace(b'"v":1', b'"v":2', 1), '"v" is 2'),
        (message(GOOD, digest="0" * 64), "its digest is another one"),
        (message(b'{"devices":[{"address":"a/b"}]}'), "missing required field"),
        (message(b'{"zone":"Mars/Olympus"}'), "not an IANA time zone"),
        (message(b'{"devices":[{"address":"a","kind":"sos"},{"address":"a","kind":"plug"}]}'), "'a' stands 2 times"),
        (message(b'{"rules":[{"when":["sos"],"publish":[{"topic":"a/#"}]}]}'), "'a/#' cannot be published to"),
        (message(b'{"prompts":{"ask":{"topic":"$SYS/x"}}}'), "'$SYS/x' cannot be published to"),
        (message(b'{"tests":{"days":[31]}}'), "<= 28"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason_and_the_old_one_holds(
    tmp_path: Path, payload: bytes, why: str
) -> None:
    kept = ConfigurationFile(tmp_path / "configuration.json")
    kept.take(message(GOOD))
    assert not kept.take(payload)
    assert kept.configured is not None
    assert kept.configured.state is ConfigurationState.REFUSED
    assert why in kept.configured.reason
    assert kept.configuration == configuration()
    assert ConfigurationFile(tmp_path / "configuration.json").configuration == configuration()


def test_fields_of_a_later_platform_are_passed_over(tmp_path: Path) -> None:
    document = b'{"zone":"Europe/Berlin","colour":"green","devices":[{"address":"a/b","kind":"drone","wings":4}]}'
    assert read_configuration(document).devices[0].kind == "drone"
    assert ConfigurationFile(tmp_path / "c.json").take(message(document))


def test_a_damaged_file_means_that_none_is_held(tmp_path: Path) -> None:
    file = tmp_path / "configuration.json"
    file.write_bytes(message(GOOD)[:40])
    assert ConfigurationFile(file).configured is None


def test_a_full_disk_is_a_refusal_not_an_end(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    kept = ConfigurationFile(tmp_path / "taken" / "configuration.json")
    assert not kept.take(message(GOOD))
    assert kept.configured is not None
    assert kept.configured.state is ConfigurationState.REFUSED


def test_an_unknown_zone_says_what_is_wanted() -> None:
    with pytest.raises(SettingsError, match="IANA"):
        read_configuration(b'{"zone":"Beijing"}')

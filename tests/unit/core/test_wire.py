"""The codec reads what it writes, and gives a reason for everything else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.configuration import digest_of
from core.errors import Reason, WireError
from core.wire import (
    MAX_BATCH_BYTES,
    VERSION,
    Batch,
    Command,
    ConfigurationState,
    Configured,
    Desired,
    Found,
    Report,
    WireReading,
    decode_ack,
    decode_batch,
    decode_command,
    decode_desired,
    decode_report,
    decode_status,
    encode,
    from_ms,
    gateway_of,
    to_ms,
)

SESSION = UUID("12345678-1234-5678-1234-567812345678")


def test_a_batch_comes_back_as_it_was_sent() -> None:
    batch = Batch(VERSION, SESSION, 7, [WireReading("zigbee2mqtt/Front/door ü#", "open", 1_300_000_000_123, 1.0, 2, 1)])
    assert decode_batch(encode(batch)) == batch


@given(st.binary(max_size=300))
def test_junk_bytes_are_refused_with_a_reason(payload: bytes) -> None:
    for read in (decode_batch, decode_status, decode_ack, decode_command, decode_desired, decode_report):
        with pytest.raises(WireError) as error:
            read(payload)
        assert error.value.reason in (Reason.UNDECODABLE, Reason.WRONG_VERSION)


def test_a_command_and_a_report_come_back_as_they_were_sent_and_say_little_where_there_is_little() -> None:
    command = Command(VERSION, 7, "ask", 1, 2)
    assert decode_command(encode(command)) == command
    assert json.loads(encode(command)) == {"v": 1, "id": 7, "kind": "ask", "created": 1, "expires": 2}
    configured = Configured(3, "ab", ConfigurationState.REFUSED, "why")
    report = Report(
        VERSION, 1, "0.1.0", configured, [Found("zigbee2mqtt/x 🚪", values={"open": 1.0}, at=5)], [], {"7": "late"}
    )
    assert decode_report(encode(report)) == report
    assert decode_report(b'{"v":1,"time":1,"of_a_later_gateway":[]}') == Report(VERSION, 1)


def test_a_configuration_keeps_its_bytes_on_the_wire() -> None:
    document = b'{"zone":  "Asia/Shanghai"}'
    desired = decode_desired(encode(Desired(VERSION, 1, digest_of(document), msgspec.Raw(document))))
    assert bytes(desired.configuration) == document


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(st.fixed_dictionaries({"v": json_values, "session": json_values, "seq": json_values, "readings": json_values}))
def test_any_json_of_the_right_keys_is_refused_with_a_reason_or_read(values: dict[str, Any]) -> None:
    try:
        batch = decode_batch(json.dumps(values).encode())
    except WireError as error:
        assert error.reason in (Reason.UNDECODABLE, Reason.WRONG_VERSION)
    else:
        assert batch.v == VERSION


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"v":2,"something":"else"}', Reason.WRONG_VERSION),
        (b'{"v":1,"session":"x","seq":1,"readings":[]}', Reason.UNDECODABLE),
        (b'{"v":1,"session":"12345678-1234-5678-1234-567812345678","seq":0,"readings":[]}', Reason.UNDECODABLE),
        (
            b'{"v":1,"session":"12345678-1234-5678-1234-567812345678","seq":9223372036854775808,"readings":[]}',
            Reason.UNDECODABLE,
        ),
        (b'{"v":1,"readings":' + b"[" * 100_000, Reason.UNDECODABLE),
        (b" " * (MAX_BATCH_BYTES + 1), Reason.TOO_LARGE),
    ],
)
def test_the_reason_says_what_is_wrong(payload: bytes, reason: Reason) -> None:
    with pytest.raises(WireError) as error:
        decode_batch(payload)
    assert error.value.reason is reason


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_times_on_the_wire_keep_their_milliseconds(moment: datetime) -> None:
    assert timedelta(0) <= moment - from_ms(to_ms(moment)) < timedelta(milliseconds=1)


@pytest.mark.parametrize("topic", ["yiju/v1/GW/up/bulk", "yiju/v1//status", "other/v1/gw/up/bulk", "yiju/v1/gw", ""])
def test_a_foreign_topic_names_no_gateway(topic: str) -> None:
    assert gateway_of(topic) is None

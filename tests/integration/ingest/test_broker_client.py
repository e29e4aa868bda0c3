"""What a broker sends, cut anywhere, is read as MQTT says; what is no MQTT ends the connection."""

import select
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode

from bench.publisher import packet
from ingest.broker_client import BLOCK, BrokerClient

Taken = tuple[str, bytes, bool, int]
CONNACK, SUBACK, PINGRESP = b"\x20\x02\0\0", b"\x90\x03\0\x01\x01", b"\xd0\0"

taken = st.tuples(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40),
    st.binary(max_size=300) | st.sampled_from([b"", b"x" * 130, b"y" * 17_000]),
    st.booleans(),
    st.integers(0, 65_535),
)


class Broker:
    """Our end of the line: says what it is told to say, and keeps what it hears."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.lost: list[str] = []
        self.subscribed: list[int] = []
        self.client = BrokerClient("reader", lambda *message: self.taken.append(message))
        self.client.on_socket_register_write = lambda *_: None
        self.client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self.lost.append(str(reason))
        self.client.on_subscribe = lambda _client, _data, mid, _codes, _properties: self.subscribed.append(mid)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.client.connect_async(*server.getsockname())
            self.client.reconnect()
            self.connection, _ = server.accept()
        self.say(CONNACK)

    def say(self, data: bytes) -> None:
        """Sends it and lets the client read until nothing is left."""
        read = self.client.socket()
        assert read is not None
        for first in range(0, len(data), BLOCK):
            self.connection.sendall(data[first : first + BLOCK])
            assert select.select([read], [], [], 10)[0]  # it is on its way
            while self.client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_write()
        self.connection.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    with closing(Broker()) as broker:
        yield broker


def published(message: Taken) -> bytes:
    """With QoS 1; with QoS 0 when it has no id."""
    topic, payload, retained, mid = message
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if mid else b"") + payload
    return bytes([0x30 | (2 if mid else 0) | retained]) + variable_length(len(body)) + body


def variable_length(size: int) -> bytes:
    return bytes([size]) if size < 128 else bytes([size % 128 | 128]) + variable_length(size // 128)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(taken, max_size=12), cuts=st.lists(st.integers(1, 400), max_size=20), other=st.booleans())
def test_messages_cut_anywhere_arrive_whole_once_and_in_order(
    broker: Broker, messages: list[Taken], cuts: list[int], other: bool
) -> None:
    broker.taken.clear()
    stream = b"".join(published(message) + (PINGRESP + SUBACK if other else b"") for message in messages)
    for cut in cuts:
        head, stream = stream[:cut], stream[cut:]
        if head:
            broker.say(head)
    broker.say(stream)
    assert broker.taken == messages
    assert broker.lost == []


def test_a_message_of_a_megabyte_arrives_whole_and_what_follows_it_too(broker: Broker) -> None:
    broker.say(packet("a/b", b"z" * 1_000_000, 7) + SUBACK + packet("c", b"", 8))
    assert [(topic, len(payload), mid) for topic, payload, _, mid in broker.taken] == [
        ("a/b", 1_000_000, 7),
        ("c", 0, 8),
    ]
    assert broker.subscribed == [1]


def test_a_topic_that_is_no_text_is_handed_over_without_a_name(broker: Broker) -> None:
    broker.say(b"\x32\x07\0\x02\xff\xfe\0\x05!")
    assert broker.taken == [("", b"!", False, 5)]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x30\x01\0",  # no room for a topic
        b"\x32\x04\0\x05ab",  # the topic is longer than its packet
        b"\x32\x03\0\x01a",  # QoS 1 without an id
        b"\x32\x05\0\x01a\0\0",  # id 0
        b"\x34\x05\0\x01a\0\x01",  # QoS 2 was never asked for
        b"\x00\x00",  # no packet at all
    ],
)
def test_what_is_no_mqtt_ends_the_connection_and_nothing_of_it_is_taken(broker: Broker, nonsense: bytes) -> None:
    broker.say(packet("a", b"before", 1))
    broker.say(nonsense + packet("a", b"after", 2))
    assert [payload for _, payload, _, _ in broker.taken] == [b"before"]
    assert broker.client.socket() is None
    assert len(broker.lost) == 1


def test_half_a_packet_of_a_lost_connection_is_forgotten(broker: Broker) -> None:
    broker.say(packet("a", b"whole", 1) + packet("a", b"half", 2)[:-2])
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker.client.connect_async(*server.getsockname())
        broker.client.reconnect()
        broker.connection.close()
        broker.connection, _ = server.accept()
    broker.say(CONNACK + packet("a", b"again", 3))
    assert [payload for _, payload, _, _ in broker.taken] == [b"whole", b"again"]


def test_a_line_that_ends_is_reported_once(broker: Broker) -> None:
    broker.connection.close()
    while broker.client.loop_read() == MQTTErrorCode.MQTT_ERR_AGAIN:
        pass
    assert len(broker.lost) == 1
    assert broker.client.loop_read() == MQTTErrorCode.MQTT_ERR_NO_CONN


def test_acknowledgements_go_out_one_after_the_other_as_the_standard_has_them(broker: Broker) -> None:
    broker.client.loop_write()  # what it said to connect
    broker.connection.recv(BLOCK)
    broker.client.acknowledge([])
    broker.client.acknowledge([1, 258, 65_535])
    broker.client.loop_write()
    assert broker.connection.recv(BLOCK) == b"\x40\x02\0\x01\x40\x02\x01\x02\x40\x02\xff\xff"

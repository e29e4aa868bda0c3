"""The access list: what is not allowed is denied, for topics and for the filters of subscriptions."""

from pathlib import Path

import pytest

from core.errors import StackError
from yiju.embedded.acl import covers, read_acl
from yiju.embedded.broker import ACL

SHIPPED = read_acl(ACL)


@pytest.mark.parametrize(
    ("user", "right", "topic"),
    [
        ("gw-1", "write", "yiju/v1/gw-1/up/urgent"),
        ("gw-1", "write", "yiju/v1/gw-1/status"),
        ("gw-1", "write", "yiju/v1/gw-1/report"),
        ("gw-1", "read", "yiju/v1/gw-1/down/config"),
        ("gw-1", "read", "yiju/v1/gw-1/down/command"),
        ("_platform", "read", "yiju/v1/+/report"),
        ("_platform", "write", "yiju/v1/gw-1/down/config"),
        ("gw-1", "read", "yiju/v1/gw-1/down/ack"),
        ("gw-1", "read", "yiju/v1/gw-1/down/+"),
        ("_platform", "read", "yiju/v1/+/up/+"),
        ("_platform", "read", "yiju/v1/gw-1/up/bulk"),
        ("_platform", "write", "yiju/v1/gw-1/down/ack"),
    ],
)
def test_what_the_shipped_list_allows(user: str, right: str, topic: str) -> None:
    assert SHIPPED.allows(user, right, topic)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("user", "right", "topic"),
    [
        ("gw-1", "write", "yiju/v1/gw-2/up/urgent"),
        ("gw-1", "write", "yiju/v1/gw-1/down/ack"),
        ("gw-1", "write", "yiju/v1/gw-1/down/config"),
        ("gw-1", "write", "yiju/v1/gw-2/report"),
        ("gw-1", "read", "yiju/v1/gw-2/report"),
        ("gw-1", "read", "yiju/v1/gw-2/down/config"),
        ("_platform", "write", "yiju/v1/gw-1/report"),
        ("gw-1", "read", "yiju/v1/gw-2/down/ack"),
        ("gw-1", "read", "yiju/v1/+/down/ack"),
        ("gw-1", "read", "yiju/#"),
        ("gw-1", "read", "#"),
        ("gw-1", "read", "yiju/v1/gw-1/#"),
        ("gw-1", "read", "$SYS/#"),
        ("+", "read", "yiju/v1/+/status"),
        ("#", "read", "yiju/v1/#"),
        ("_platform", "write", "yiju/v1/gw-1/up/bulk"),
        ("", "read", "yiju/v1//status"),
        ("somebody", "read", "yiju/v1/gw-1/status"),
    ],
)
def test_what_it_does_not_allow(user: str, right: str, topic: str) -> None:
    assert not SHIPPED.allows(user, right, topic)  # type: ignore[arg-type]


def test_a_wildcard_covers_what_lies_within_it_and_no_more() -> None:
    assert covers("a/#", "a/b/c")
    assert covers("a/#", "a/+/#")
    assert covers("a/+", "a/+")
    assert not covers("a/+", "a/#")
    assert not covers("a/b", "a/+")
    assert not covers("#", "$SYS/broker")


def test_a_line_that_is_not_understood_stops_the_broker(tmp_path: Path) -> None:
    path = tmp_path / "acl"
    path.write_text("user x\ntopic deny y\n")
    with pytest.raises(StackError, match=r"line 2: 'topic deny y'"):
        read_acl(path)

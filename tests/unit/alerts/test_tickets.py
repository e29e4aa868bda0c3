"""Tickets of answer links: nobody makes one without the secret, and no letter of one may be changed."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify.tickets import make_ticket, read_ticket, reply_code, sender_hash
from core.errors import NotFound

KEY = b"k" * 32
ALPHABET = string.ascii_letters + string.digits + "-_"
moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))


@given(link=st.integers(0, 2**63 - 1), expires=moments)
def test_a_ticket_says_what_it_was_made_for(link: int, expires: datetime) -> None:
    ticket = read_ticket(KEY, make_ticket(KEY, link, expires))
    assert ticket.link_id == link
    assert timedelta(0) <= expires - ticket.expires_at < timedelta(seconds=1)


@given(link=st.integers(0, 2**63 - 1), expires=moments, place=st.integers(0, 47), letter=st.sampled_from(ALPHABET))
def test_a_ticket_with_any_letter_changed_is_refused(link: int, expires: datetime, place: int, letter: str) -> None:
    text = make_ticket(KEY, link, expires)
    assert len(text) == 48
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(NotFound):
        read_ticket(KEY, changed)


@given(text=st.text(max_size=80))
def test_nothing_else_is_a_ticket(text: str) -> None:
    with pytest.raises(NotFound):
        read_ticket(KEY, text)


@given(cut=st.integers(0, 47))
def test_a_ticket_that_was_cut_off_or_made_longer_is_refused(cut: int) -> None:
    text = make_ticket(KEY, 7, datetime(2026, 3, 2, tzinfo=UTC))
    for wrong in (text[:cut], text + text[cut:], text + "=", text + "\n"):
        with pytest.raises(NotFound):
            read_ticket(KEY, wrong)


def test_another_platforms_ticket_is_refused() -> None:
    with pytest.raises(NotFound):
        read_ticket(b"o" * 32, make_ticket(KEY, 7, datetime(2026, 3, 2, tzinfo=UTC)))


def test_a_reply_code_is_six_digits_and_differs_by_link() -> None:
    codes = {reply_code(KEY, number) for number in range(500)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 490


def test_a_number_is_known_again_however_it_is_written() -> None:
    assert len({sender_hash(KEY, number) for number in ("+86 138-1234-5678", "008613812345678", "13812345678")}) == 1
    assert sender_hash(KEY, "13812345679") != sender_hash(KEY, "13812345678")

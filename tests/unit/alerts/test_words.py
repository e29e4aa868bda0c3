"""Whatever is stored can be worded, in both languages."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from alerts.detect.findings import Finding
from alerts.explain import explain, explain_event
from alerts.inhibit import inhibit
from alerts.notify.message import word_held, word_message
from alerts.pace import lasting
from alerts.policy import Policy, check_policy
from core.clock import ManualClock, ScaledClock, SystemClock
from core.errors import RegisterError
from core.model import AlertKind, AlertState, DeviceKind, Outcome, Severity
from core.words import LOCALES, load_words, read_catalogue

WORDS = load_words()
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EARLIER = "2026-03-01T20:30:00+00:00"
PARAMETERS = {
    "measured_at": EARLIER,
    "last_at": EARLIER,
    "left_at": EARLIER,
    "heard_at": EARLIER,
    "seen_at": EARLIER,
    "room": "kitchen",
    "device_kind": "motion",
    "silence_s": 46_000.0,
    "away_s": 90_000.0,
    "limit_s": 30_000.0,
    "sensors": 4,
    "region": "Dongfang",
    "homes": 12,
    **dict.fromkeys(("elsewhere_at", "limit_at", "open_at", "high_at", "low_at", "since_at"), EARLIER),
    "watts": 1900.0,
    "base_watts": 60.0,
    "litres": 3.0,
    "limit_litres": 10.0,
    "celsius": 8.5,
    "limit_celsius": 12.0,
}
URGENT = (AlertKind.SOS, AlertKind.FALL, AlertKind.SMOKE, AlertKind.GAS, AlertKind.LEAK, AlertKind.TAMPER)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", AlertKind)
def test_every_finding_explains_itself(locale: str, kind: AlertKind) -> None:
    messages = [f"finding.{kind}.why"] + ([f"finding.{kind}.late"] if kind in URGENT else [])
    for message in messages:
        text = explain(WORDS[locale], message, PARAMETERS, "Asia/Shanghai", NOW)
        assert "{" not in text
        assert "T20:30" not in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("message", "more"),
    [
        ("finding.fall.why", {"followed": "moved"}),
        ("finding.not_risen.why", {"usual_clock_s": 27_000.0}),
        ("finding.long_stay.why", {"usual_s": 2700.0}),
        ("finding.no_door.why", {"usual_s": 90_000.0}),
        *(
            ("finding.sensor_stuck.why", {"fault": fault, "value": 80.0})
            for fault in ("stuck", "flat", "wild", "blind")
        ),
        *(("finding.drift.why", {"trend": trend, "recent": 3.1, "earlier": 1.2}) for trend in ("nights", "meals")),
        ("finding.drift.why", {"trend": "rising", "recent_clock_s": 31_500.0, "earlier_clock_s": 26_400.0}),
    ],
)
def test_every_variant_has_its_own_sentence(locale: str, message: str, more: dict[str, object]) -> None:
    plain = explain(WORDS[locale], message, PARAMETERS, "Asia/Shanghai", NOW)
    variant = explain(WORDS[locale], message, PARAMETERS | more, "Asia/Shanghai", NOW)
    assert variant != plain
    assert "{" not in variant


def test_a_personal_limit_is_told_with_the_habit_behind_it() -> None:
    known = PARAMETERS | {"usual_s": 6000, "alike": 50, "shorter": 49}
    text = explain(WORDS["en"], "finding.inactivity.why", known, "Asia/Shanghai", NOW)
    assert text == (
        "No movement since 04:30 (kitchen), for 12 hours 46 minutes. At this hour 49 of the last 50 quiet spells that"
        " began like this were no longer than 1 hour 40 minutes; the limit is 8 hours 20 minutes."
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_of_an_alert_is_there(locale: str) -> None:
    words = WORDS[locale]
    for name, members in (
        ("kind", AlertKind),
        ("state", AlertState),
        ("severity", Severity),
        ("outcome", Outcome),
    ):
        assert all(f"alert.{name}.{member}" in words for member in members)
    assert all(f"device.{kind}" in words for kind in DeviceKind)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("what", "details"),
    [
        ("opened", {}),
        ("opened", {"late": True}),
        ("occurred_again", {"measured_at": EARLIER, "room": "bedroom"}),
        ("occurred_late", {"measured_at": EARLIER, "room": ""}),
        ("repeated", {"measured_at": EARLIER, "room": "bedroom"}),
        ("acknowledged", {"until_at": EARLIER}),
        ("ack_expired", {"held_by": 3}),
        ("on_site", {}),
        ("resolved", {"outcome": "helped"}),
        ("ended_itself", {}),
        ("ended_itself", {"life_at": EARLIER}),
        ("ended_itself", {"life_at": EARLIER, "late": True}),
        ("life_again", {"life_at": EARLIER}),
        ("life_late", {"life_at": EARLIER}),
        ("told", {"rung": 1, "reason": "sent"}),
        ("not_told", {"rung": 1, "reason": "refused"}),
        ("told", {"rung": 0, "reason": "sent", "purpose": "ended"}),
        ("told", {"rung": 1, "reason": "sent", "purpose": "alert", "bundle": 4}),
        ("passed_on", {}),
        ("rung_skipped", {"rung": 1, "audience": "on_shift"}),
        ("person_skipped", {"rung": 1, "audience": "volunteer", "reason": "no_address"}),
        ("person_skipped", {"rung": 1, "audience": "handed", "reason": "on_leave"}),
        ("nobody_told", {}),
        ("emergency", {"rung": 4}),
        ("handed_on", {"to": 4}),
        ("reopened", {"outcome": "helped"}),
        ("held_back", {"until_at": EARLIER}),
        ("in_digest", {"rung": 2}),
        ("elder_asked", {"rung": 1}),
        ("elder_ok", {"answered_at": EARLIER}),
        ("elder_help", {"answered_at": EARLIER}),
        ("elder_none", {"answered_at": EARLIER}),
        ("elder_refused", {"answered_at": EARLIER}),
        ("elder_unreached", {"answered_at": EARLIER}),
        ("ended_itself", {"answered_at": EARLIER}),
        ("ended_itself", {"incident": 9}),
    ],
)
def test_every_line_of_the_history_can_be_told(locale: str, what: str, details: dict[str, object]) -> None:
    text = explain_event(WORDS[locale], what, details, "Asia/Shanghai", NOW, "Wang")
    assert text
    assert "{" not in text
    assert EARLIER not in text


def test_both_languages_have_the_same_keys() -> None:
    assert read_catalogue("zh_CN").keys() == read_catalogue("en").keys()


def test_a_message_holds_the_home_the_why_and_the_link_and_an_unknown_language_is_no_obstacle() -> None:
    alert = {
        "id": 7,
        "kind": "sos",
        "severity": "urgent",
        "message": "finding.sos.why",
        "parameters": PARAMETERS,
        "occurrences": 2,
        "purpose": "alert",
        "unanswered": True,
        "home_name": "",
        "home_key": "home-7",
        "zone": "Asia/Shanghai",
    }
    message = word_message(WORDS, "fr", alert, "https://yiju.example/", NOW)
    assert message.title == "home-7：求助"
    assert message.body.splitlines()[-1].endswith("https://yiju.example/alerts/7")
    assert len(message.body.splitlines()) == 4


def test_an_alert_whose_sentence_cannot_be_worded_rings_all_the_same_and_hides_no_other() -> None:
    alert = {
        "id": 7, "home_id": 1, "kind": "sos", "severity": "urgent", "message": "finding.sos.why", "parameters": {},
        "occurrences": 1, "home_name": "Ming", "home_key": "m", "zone": "Asia/Shanghai", "purpose": "alert",
        "unanswered": False,
    }  # fmt: skip
    message = word_message(WORDS, "en", alert, "https://yiju.example", NOW)
    assert (message.title, message.body.splitlines()) == (
        "Ming: call for help", ["See it and take it: https://yiju.example/alerts/7"],
    )  # fmt: skip
    whole = alert | {"id": 8, "home_name": "Li", "parameters": PARAMETERS}
    held = word_held(WORDS, "en", [alert, whole], "https://yiju.example", NOW)
    assert held.body.startswith("Ming: call for help.")
    assert "\nLi: call for help. " in held.body


def finding(kind: AlertKind, home: int) -> Finding:
    return Finding(home, kind, Severity.NOTICE, -1, f"v1:{kind}:{home}", NOW, "", {})


def test_the_first_cause_mutes_and_only_at_its_own_home() -> None:
    offline, blind = finding(AlertKind.GATEWAY_OFFLINE, 1), finding(AlertKind.CANNOT_WATCH, 1)
    silent, other = finding(AlertKind.INACTIVITY, 1), finding(AlertKind.INACTIVITY, 2)
    pressed = finding(AlertKind.SOS, 1)
    standing, muted = inhibit([offline, blind, silent, other, pressed])
    assert standing == [offline, other, pressed]
    assert {(one.finding.kind, one.cause) for one in muted} == {
        (AlertKind.CANNOT_WATCH, offline.dedup_key),
        (AlertKind.INACTIVITY, offline.dedup_key),
    }


def test_a_policy_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(RegisterError, match="inactivity_hours"):
        check_policy({"inactivity_hours": 12})
    with pytest.raises(RegisterError, match="ack_s is -1"):
        check_policy({"ack_s": -1})
    check_policy({"ack_s": 60, "tell_notices": True})
    assert get_args(Policy.__annotations__["ack_s"])


def test_a_networks_patience_is_not_the_platforms_time() -> None:
    fast = ScaledClock(NOW, NOW, 144)
    assert lasting(fast, 10) == timedelta(seconds=1440)
    assert lasting(SystemClock(), 10) == timedelta(seconds=10)
    assert lasting(ManualClock(NOW), 10) == timedelta(seconds=10)

"""The outbox's promises: at least once, once where nothing is killed, and urgent ones first."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import datetime, timedelta
from threading import Event, Lock

import numpy as np
import pytest

from alerts import slices
from alerts.lifecycle import end_itself
from alerts.notify.message import Message
from alerts.notify.outbox import LEASE_S, MAX_ATTEMPTS, Outbox
from alerts.notify.result import SendReason, Sent
from core.clock import ManualClock
from core.metrics import BY_NAME
from core.words import load_words
from store.pool import DatabaseRole, Pool, open_pool
from tests.conftest import NOW, Database
from tests.integration.alerts.world import World

WORDS = load_words()


@pytest.fixture
def pool(database: Database) -> Iterator[Pool]:
    with open_pool(database.url, DatabaseRole.ALERTS, size=8) as pool:
        yield pool


class Post:
    """A sender that keeps what it sent."""

    def __init__(self, reason: SendReason = SendReason.SENT) -> None:
        self.answer = Sent(reason)
        self.sent: list[tuple[str, Message]] = []
        self._lock = Lock()

    def __call__(self, channel: str, message: Message) -> Sent:
        with self._lock:
            self.sent.append((channel, message))
        return self.answer


def outbox(pool: Pool, clock: ManualClock, sender: Post, worker: str | None = None) -> Outbox:
    return Outbox(pool, clock, WORDS, "https://y", np.random.default_rng(1), sender, worker)


def drain(box: Outbox) -> None:
    while sending := box.start_due():
        wait(sending)


def queue(world: World, people: int) -> None:
    """An SOS of one home for so many workers, each at a service of their own."""
    for number in range(people):
        world.person(f"p{number}", "worker", channels=[f"json://host-{number}/x"])
    home = world.home("h")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW)


def test_two_workers_send_each_message_once(world: World, pool: Pool, clock: ManualClock) -> None:
    queue(world, 60)
    post = Post()
    boxes = [outbox(pool, clock, post) for _ in range(2)]
    while sending := [future for box in boxes for future in box.start_due()]:
        wait(sending)
    for box in boxes:
        box.close()
    counts = Counter(channel for channel, _ in post.sent)
    assert set(counts.values()) == {1}
    assert len(counts) == 60


def test_two_workers_never_overtake_a_message_about_the_same_alert_to_the_same_address(
    world: World, pool: Pool, clock: ManualClock
) -> None:
    home = world.home("h")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW, ["json://one/x"])
    world.owner.execute(
        "INSERT INTO delivery (alert_id, rung, channel, purpose, created_at, next_try_at)"
        " SELECT alert_id, 4, channel, 'emergency', created_at, created_at FROM delivery"
    )
    going, others = Event(), Event()

    class Slow(Post):
        def __call__(self, channel: str, message: Message) -> Sent:
            going.set()
            assert others.wait(20)
            return super().__call__(channel, message)

    slow, quick = Slow(), Post()
    first, second = outbox(pool, clock, slow), outbox(pool, clock, quick)
    sending = first.start_due()
    assert going.wait(20)
    assert second.start_due() == []  # the first is on its way
    others.set()
    wait(sending)
    drain(second)
    for box in (first, second):
        box.close()
    assert [(post.sent[0][1].facts["purpose"], len(post.sent)) for post in (slow, quick)] == [
        ("alert", 1), ("emergency", 1),
    ]  # fmt: skip


class Held(Post):
    """A service that takes its time: it answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.going, self.let_go = Event(), Event()

    def __call__(self, channel: str, message: Message) -> Sent:
        self.going.set()
        assert self.let_go.wait(20)
        return super().__call__(channel, message)


def press_again(world: World, now: datetime) -> None:
    """She presses once more, and everybody is told again."""
    (device,) = world.rows("SELECT id, home_id FROM device WHERE kind = 'sos'")
    world.owner.execute(
        "INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at) VALUES (%s, %s, %s, %s, 1, %s)",
        [device["home_id"], device["id"], BY_NAME["sos"].id, now, now],
    )
    world.tick(now)


def end(world: World, now: datetime) -> None:
    """The alert ends by itself."""
    (alert,) = world.alerts("sos")
    end_itself(world.owner, alert["id"], alert["home_id"], now, {})


def purposes(post: Post) -> list[str]:
    return [message.facts["purpose"] for _, message in post.sent]


def test_what_ends_while_the_message_about_it_is_under_way_is_told_to_be_over(
    world: World, pool: Pool, clock: ManualClock
) -> None:
    queue(world, 1)
    post = Held()
    box = outbox(pool, clock, post)
    sending = box.start_due()
    assert post.going.wait(20)
    end(world, clock.now())
    post.let_go.set()
    wait(sending)
    drain(box)
    box.close()
    assert purposes(post) == ["alert", "ended"]


def test_what_ends_while_it_waits_to_be_told_again_is_told_to_be_over(
    world: World, pool: Pool, clock: ManualClock
) -> None:
    queue(world, 1)
    post = Post()
    box = outbox(pool, clock, post)
    drain(box)
    post.answer = Sent(SendReason.UNREACHABLE)
    press_again(world, clock.move(timedelta(minutes=2)))
    drain(box)
    end(world, clock.now())
    post.answer = Sent(SendReason.SENT)
    clock.move(timedelta(minutes=10))
    drain(box)
    box.close()
    assert purposes(post)[0] == "alert"
    assert purposes(post)[-1] == "ended"


def test_what_ends_before_anybody_could_be_reached_is_no_news(world: World, pool: Pool, clock: ManualClock) -> None:
    queue(world, 1)
    post = Post(SendReason.UNREACHABLE)
    box = outbox(pool, clock, post)
    drain(box)
    end(world, clock.now())
    post.answer = Sent(SendReason.SENT)
    for _ in range(3):
        clock.move(timedelta(minutes=10))
        drain(box)
    box.close()
    assert purposes(post) == ["alert"]
    assert world.rows("SELECT FROM delivery WHERE state = 'queued'") == []


def test_a_message_that_is_told_again_while_it_is_under_way_is_not_settled_by_the_first_telling(
    world: World, pool: Pool, clock: ManualClock
) -> None:
    queue(world, 1)
    slow, failing = Held(), Post(SendReason.UNREACHABLE)
    first, second = outbox(pool, clock, slow), outbox(pool, clock, failing)
    sending = first.start_due()
    assert slow.going.wait(20)
    press_again(world, clock.move(timedelta(minutes=2)))
    again = second.start_due()
    slow.let_go.set()
    wait(sending)
    wait(again)
    assert len(failing.sent) == 1
    (delivery,) = world.rows("SELECT state FROM delivery")
    assert delivery["state"] == "queued"  # the second telling has failed, and is tried again
    first.close()
    second.close()


class Killed(BaseException):
    """As a worker ends that is killed while it sends."""


def test_a_worker_that_is_killed_while_it_sends_costs_its_lease_and_no_message(
    world: World, pool: Pool, clock: ManualClock
) -> None:
    queue(world, 1)

    class Dying(Post):
        def __call__(self, channel: str, message: Message) -> Sent:
            raise Killed

    dying = outbox(pool, clock, Dying())
    (future,) = dying.start_due()
    assert isinstance(future.exception(), Killed)
    post = Post()
    living = outbox(pool, clock, post)
    drain(living)
    assert post.sent == []
    clock.move(timedelta(seconds=LEASE_S))
    drain(living)
    assert len(post.sent) == 1
    dying.close()
    living.close()


@pytest.mark.parametrize("restarted", [True, False])
def test_what_a_dead_worker_had_claimed_goes_as_soon_as_it_is_known_to_be_dead(
    world: World, pool: Pool, clock: ManualClock, restarted: bool
) -> None:
    queue(world, 1)
    lease = timedelta(seconds=slices.LEASE_S)

    class Dying(Post):
        def __call__(self, channel: str, message: Message) -> Sent:
            raise Killed

    for name in ("a", "b"):
        slices.renew(world.worker, clock.now(), name, lease)
    world.worker.commit()
    dying = outbox(pool, clock, Dying(), "a")
    wait(dying.start_due())
    clock.move(lease / 2)
    slices.renew(world.worker, clock.now(), "b", lease)  # "a" may live
    world.worker.commit()
    post = Post()
    living = outbox(pool, clock, post, "a" if restarted else "b")
    if not restarted:
        drain(living)
        assert post.sent == []
        clock.move(lease / 2)
        slices.renew(world.worker, clock.now(), "b", lease)
        world.worker.commit()
    drain(living)
    assert len(post.sent) == 1
    assert world.rows("SELECT state, claimed_by FROM delivery") == [{"state": "sent", "claimed_by": None}]
    dying.close()
    living.close()


def test_what_never_goes_is_given_up_with_its_reason_after_growing_pauses(
    world: World, pool: Pool, clock: ManualClock
) -> None:
    queue(world, 1)
    post = Post(SendReason.UNREACHABLE)
    box = outbox(pool, clock, post)
    pauses = []
    for _ in range(MAX_ATTEMPTS):
        drain(box)
        (row,) = world.rows("SELECT state, next_try_at FROM delivery")
        if row["next_try_at"] is not None:
            pauses.append((row["next_try_at"] - clock.now()).total_seconds())
            clock.move_to(row["next_try_at"])
    box.close()
    assert row["state"] == "failed"
    assert len(post.sent) == MAX_ATTEMPTS
    assert len({message.id for _, message in post.sent}) == 1  # one message, tried again: a receiver takes it once
    assert all(0.5 * 5 * 2**n <= pause <= 5 * 2**n or pause <= 600 for n, pause in enumerate(pauses))
    assert pauses[-1] > 100 * pauses[0] / 10
    assert world.history(world.alerts()[0]["id"])[-1] == "not_told"


def test_urgent_ones_go_first_however_long_the_others_wait(world: World, pool: Pool, clock: ManualClock) -> None:
    world.person("wang", "worker", channels=["json://one/x"])
    for number in range(5):
        home = world.home(f"off-{number}", tell_notices=True)
        home.device("motion", "kitchen")
        home.heard(NOW - timedelta(hours=1 + number))
        home.will(NOW - timedelta(hours=1 + number))
        world.tick(NOW)
    home = world.home("sos")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW)
    post = Post()
    box = outbox(pool, clock, post)
    wait(box.start_due())
    box.close()
    assert post.sent[0][1].urgent
    assert [message.urgent for _, message in post.sent].count(True) == 1

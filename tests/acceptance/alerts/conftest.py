from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from alerts.notify.outbox import Outbox
from core.clock import ManualClock
from core.words import load_words
from store.pool import DatabaseRole, open_pool
from tests.acceptance.alerts.receiver import Receiver
from tests.acceptance.alerts.street import Street, impatient
from tests.conftest import NOW, Database
from tests.integration.alerts.world import World


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Registered a day before NOW."""
    made = World(database, NOW - timedelta(days=1))
    yield made
    made.close()


@pytest.fixture
def street(world: World, clock: ManualClock) -> Iterator[Street]:
    with open_pool(world.database.url, DatabaseRole.ALERTS) as pool, Receiver() as receiver:
        random = np.random.default_rng(1)
        outbox = Outbox(pool, clock, load_words(), "https://yiju.example", random, impatient)
        yield Street(world, clock, receiver, outbox)
        receiver.let_go.set()
        outbox.close()

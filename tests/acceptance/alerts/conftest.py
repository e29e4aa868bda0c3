from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import NOW, Database
from tests.integration.alerts.world import World


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Registered a day before NOW."""
    made = World(database, NOW - timedelta(days=1))
    yield made
    made.close()

"""What people may do with an alert, in which order, and what their right to see it allows."""

from datetime import timedelta

import pytest

from alerts.lifecycle import acknowledge, home_policy, on_site, resolve
from core.errors import Conflict, NotFound
from core.model import Outcome
from store.pool import Connection, DatabaseRole
from tests.conftest import NOW
from tests.integration.alerts.world import World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def alert(world: World) -> int:
    home = world.home("h1", ack_urgent_s=600)
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    return world.tick(NOW).opened[0]


def as_person(connection: Connection, person: int) -> None:
    connection.execute("SELECT set_config('yiju.person', %s, true)", [str(person)])


def test_an_alert_goes_from_open_to_resolved_and_its_history_names_who(world: World, alert: int) -> None:
    wang = world.person("wang", "worker")
    with world.database.connect(DatabaseRole.API) as api, api.transaction():
        as_person(api, wang)
        assert acknowledge(api, alert, wang, NOW) == NOW + 10 * MINUTE  # the home's own policy
        on_site(api, alert, wang, NOW + 5 * MINUTE)
        resolve(api, alert, wang, NOW + 9 * MINUTE, Outcome.HELPED, "she is well")
    (row,) = world.alerts("sos")
    assert (row["state"], row["outcome"], row["note"]) == ("resolved", "helped", "she is well")
    assert (row["ack_by"], row["resolved_by"]) == (wang, wang)
    assert world.history(alert)[-3:] == ["acknowledged", "on_site", "resolved"]


def test_a_stranger_is_told_that_there_is_no_such_alert(world: World, alert: int) -> None:
    other = world.region("community-2", "community", world.street)
    stranger = world.person("stranger", "worker", other)
    with world.database.connect(DatabaseRole.API) as api, api.transaction():
        as_person(api, stranger)
        with pytest.raises(NotFound):
            acknowledge(api, alert, stranger, NOW)


def test_two_people_do_not_both_have_it(world: World, alert: int) -> None:
    wang, zhao = world.person("wang", "worker"), world.person("zhao", "worker")
    acknowledge(world.owner, alert, wang, NOW)
    with pytest.raises(Conflict, match=f"held by person {wang}"):
        acknowledge(world.owner, alert, zhao, NOW + MINUTE)
    acknowledge(world.owner, alert, wang, NOW + MINUTE, until=NOW + timedelta(hours=3))  # longer
    on_site(world.owner, alert, zhao, NOW + 2 * MINUTE)  # whoever is there is there
    with pytest.raises(Conflict):
        acknowledge(world.owner, alert, wang, NOW + 3 * MINUTE)


def test_a_resolved_alert_stays_resolved(world: World, alert: int) -> None:
    wang = world.person("wang", "worker")
    with pytest.raises(Conflict):
        resolve(world.owner, alert, wang, NOW, Outcome.ENDED_ITSELF)
    resolve(world.owner, alert, wang, NOW, Outcome.TEST)
    with pytest.raises(Conflict):
        resolve(world.owner, alert, wang, NOW, Outcome.TEST)
    with pytest.raises(Conflict):
        on_site(world.owner, alert, wang, NOW)
    with pytest.raises(Conflict):
        acknowledge(world.owner, alert, wang, NOW)


def test_a_policy_says_where_each_value_comes_from(world: World) -> None:
    world.owner.execute("UPDATE region SET policy = '{\"ack_s\": 60, \"rung_s\": 90}' WHERE key = 'district-1'")
    world.owner.execute("UPDATE region SET policy = '{\"ack_s\": 120}' WHERE key = 'street-1'")
    home = world.home("h1", rung_s=150)
    resolved = home_policy(world.owner, home.id)
    assert (resolved.policy.ack_s, resolved.policy.rung_s) == (120, 150)
    assert dict(resolved.sources) == {"ack_s": "street-1", "rung_s": "h1"}

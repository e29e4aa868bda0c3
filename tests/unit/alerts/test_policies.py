"""The policies of many homes at once."""

from typing import Any

from structlog.testing import capture_logs

from alerts.observe.policies import policies_of
from alerts.policy import DEFAULTS


def test_a_value_that_cannot_be_used_is_said_once_where_it_is_set_and_not_for_each_home_below() -> None:
    regions: list[dict[str, Any]] = [
        {"id": 1, "parent_id": None, "key": "district", "policy": {"of_an_older_edition": 1}},
        {"id": 2, "parent_id": 1, "key": "community", "policy": {"visit_s": 3600}},
    ]
    homes: list[dict[str, Any]] = [
        {"id": number, "region_id": 2, "key": f"h{number}", "policy": {}} for number in range(50)
    ]
    homes.append({"id": 50, "region_id": 2, "key": "h50", "policy": {"visit_s": "long", "remind_s": 60}})
    with capture_logs() as said:
        policies = policies_of(regions, homes)
    assert [(line["of"], len(line["faults"])) for line in said] == [("district", 1), ("h50", 1)]
    assert {policy.visit_s for policy in policies.values()} == {3600}
    assert (policies[50].remind_s, policies[0].remind_s) == (60, DEFAULTS.remind_s)

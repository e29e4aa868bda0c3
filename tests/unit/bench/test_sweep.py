"""The sweep's benchmark measures the product's sweep over a state that is small enough."""

import numpy as np

from bench.sweep import make_state, measure, plain_pass, sweep


def test_a_home_costs_less_than_two_kilobytes_and_some_are_found() -> None:
    found = measure(lambda done, total: None, sizes=(1000, 2000))
    assert [one["homes"] for one in found["sweeps"]] == [1000, 2000]
    assert all(one["bytes_per_home"] < 2048 for one in found["sweeps"])
    assert all(0 < one["found"] < one["homes"] / 10 for one in found["sweeps"])


def test_the_plain_pass_reads_every_array() -> None:
    state = make_state(64, np.random.default_rng(1))
    before = plain_pass(state)
    state.minutes[5, 3, 7] += 1
    assert plain_pass(state) != before
    assert sweep(state) >= 0

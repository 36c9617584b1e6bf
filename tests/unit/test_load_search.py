from __future__ import annotations

import pytest

from tests.bench.load.crowd import Outcome
from tests.bench.load.ours import BASE_CALLS, LEAST_TURNS, TURNS_A_SECOND, Plan, climb, still_good
from tests.bench.load.search import Most, most


@pytest.mark.parametrize("true", [0, 1, 7, 8, 9, 40, 57, 119, 120, 400])
def test_the_most_that_holds_is_found_to_a_twentieth_and_what_did_not_is_told(true: int) -> None:
    found = most(lambda calls: calls <= true, 8, 120)
    true = min(true, 120)
    assert found.good <= true <= found.upto
    assert found.upto - found.good <= max(1, round(true / 20))
    assert (found.bad is None) == (true == 120)


def test_never_more_than_the_limit_is_tried() -> None:
    tried: list[int] = []

    def holds(calls: int) -> bool:
        tried.append(calls)
        return True

    assert most(holds, 8, 30) == Most(30, None)
    assert max(tried) == 30


def test_it_no_longer_holds_when_replies_are_twice_as_late_or_missing() -> None:
    base = Outcome(1, replies=[200.0] * 20)
    assert still_good(Outcome(9, replies=[399.0] * 20), base)
    assert not still_good(Outcome(9, replies=[401.0] * 20), base)
    assert not still_good(Outcome(9, replies=[200.0] * 20, missed=3), base)
    assert not still_good(Outcome(9), base)


def test_each_step_is_long_enough_to_tell_a_p95() -> None:
    plan = Plan((0,), 120, 20.0)
    assert plan.long_enough(60) == 20.0
    assert plan.long_enough(4) * 4 * TURNS_A_SECOND == pytest.approx(LEAST_TURNS)


def test_a_step_that_fails_is_tried_once_more_and_the_few_are_the_measure() -> None:
    tried: list[int] = []

    def step(calls: int) -> Outcome:
        tried.append(calls)
        stalled = calls == 36 and tried.count(36) == 1
        return Outcome(calls, replies=[900.0 if stalled or calls > 50 else 200.0] * 60)

    load = climb(step, Plan((0,), 54, 20.0), still_good)
    assert tried[:4] == [BASE_CALLS, 24, 36, 36]
    assert (load.base.calls, load.calls, load.most.upto) == (BASE_CALLS, 49, 50)

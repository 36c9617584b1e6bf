from __future__ import annotations

import pytest

from tests.bench.load.crowd import Outcome
from tests.bench.load.ours import still_good
from tests.bench.load.search import most


@pytest.mark.parametrize("true", [0, 1, 7, 8, 9, 40, 57, 119, 120, 400])
def test_the_most_that_holds_is_found_to_a_twelfth(true: int) -> None:
    found = most(lambda calls: calls <= true, 8, 120)
    true = min(true, 120)
    assert found <= true
    assert true - found <= max(1, round(true / 12))


def test_never_more_than_the_limit_is_tried() -> None:
    tried: list[int] = []

    def holds(calls: int) -> bool:
        tried.append(calls)
        return True

    assert most(holds, 8, 30) == 30
    assert max(tried) == 30


def test_it_no_longer_holds_when_replies_are_twice_as_late_or_missing() -> None:
    base = Outcome(1, replies=[200.0] * 20)
    assert still_good(Outcome(9, replies=[399.0] * 20), base)
    assert not still_good(Outcome(9, replies=[401.0] * 20), base)
    assert not still_good(Outcome(9, replies=[200.0] * 20, missed=3), base)
    assert not still_good(Outcome(9), base)

"""Calls per second, bursts, and a trunk that is left alone when it has no lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.campaign.pacing import Breaker, Pace


def test_a_burst_and_then_the_rate() -> None:
    pace, arrival = Pace(2.0, burst=3), 0.0
    taken, arrival = pace.take(arrival, 100.0, 10)
    assert taken == 3
    assert pace.take(arrival, 100.4, 10)[0] == 0
    assert pace.wait(arrival, 100.0) == pytest.approx(0.5)
    taken, arrival = pace.take(arrival, 100.5, 10)
    assert taken == 1


def test_rest_does_not_save_up_more_than_a_burst() -> None:
    pace = Pace(10.0, burst=2)
    _, arrival = pace.take(0.0, 100.0, 2)
    assert pace.take(arrival, 5000.0, 100)[0] == 2


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_nonsense_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="pace"):
        Pace(per_second, burst)


@given(st.floats(0.1, 50), st.integers(1, 10), st.lists(st.tuples(st.floats(0, 3), st.integers(0, 20)), max_size=60))
def test_never_more_than_rate_and_burst(per_second: float, burst: int, asks: list[tuple[float, int]]) -> None:
    pace, arrival, now, total = Pace(per_second, burst), 0.0, 1000.0, 0
    for pause, wanted in asks:
        now += pause
        taken, arrival = pace.take(arrival, now, wanted)
        assert 0 <= taken <= wanted
        total += taken
    assert total <= (now - 1000.0) * per_second + burst + 1e-6


def test_after_the_named_wait_a_call_may_go() -> None:
    pace = Pace(3.0, burst=2)
    _, arrival = pace.take(0.0, 100.0, 2)
    assert pace.take(arrival, 100.0 + pace.wait(arrival, 100.0), 1)[0] == 1


def test_a_trunk_without_lines_rests_and_is_tried_with_one_call() -> None:
    breaker = Breaker(failures=2, rest_s=60)
    breaker.failed(0)
    assert breaker.room(1, 5) == 5
    breaker.failed(1)
    assert breaker.room(2, 5) == 0
    assert breaker.room(61, 5) == 1
    breaker.failed(61)
    assert breaker.room(62, 5) == 0
    breaker.worked()
    assert breaker.room(62, 5) == 5

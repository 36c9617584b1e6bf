"""A clock that is set is told from one that is slewed."""

from __future__ import annotations

import pytest

from agi_bot.campaign.clock_watch import ClockWatch


@pytest.mark.parametrize("by", [3600.0, -3600.0, 60.0])
def test_a_clock_that_was_set(by: float) -> None:
    watch = ClockWatch()
    assert watch.set_by(1000.0, 50.0) == 0
    assert watch.set_by(1005.0 + by, 55.0) == by
    assert watch.set_by(1010.0 + by, 60.0) == 0, "told once"


def test_slewing_is_not_setting_however_long_it_lasts() -> None:
    watch = ClockWatch()
    assert [watch.set_by(5.01 * n, 5.0 * n) for n in range(10_000)] == [0] * 10_000

"""The laboratory's figures: what was measured, and nothing made up where nothing was."""

from __future__ import annotations

import pytest

from tests.bench.lab.report import by_condition, overall
from tests.bench.lab.verdict import Event, Turn

ANSWERS = [Turn("clean", "yes_no", "可以", ms, False) for ms in (100.0, 200.0, 300.0)]
ON = Event("clean", "cough", "", None, False, 0.0)
STOPPED = Event("10db", "noise", "", 120.0, True, 900.0)
INTERRUPTED = Event("clean", "interrupt", "不方便", 80.0, False, 2000.0)


def named(answered: list[Turn], over: list[Event]) -> dict[str, float]:
    return {figure.name: figure.value for figure in [*overall(answered, over), *by_condition(answered, over)]}


def test_what_was_measured() -> None:
    figures = named(ANSWERS, [ON, STOPPED, INTERRUPTED])
    assert figures["reply_ms_p50"] == 200
    assert figures["barge_in_ms_p50"] == 80
    assert figures["false_stop_share"] == 0.5
    assert figures["false_stops"] == 1
    assert figures["resume_share"] == 1
    assert figures["false_stop_share_clean"] == 0


@pytest.mark.parametrize("over", [[], [ON], [INTERRUPTED]])
def test_nothing_is_made_up(over: list[Event]) -> None:
    figures = named(ANSWERS, over)
    assert all(value >= 0 for value in figures.values())
    assert not {"resume_share", "resume_share_clean", "resume_share_upto"} & figures.keys()
    assert figures["false_stops"] == 0
    assert ("false_stop_share" in figures) is (ON in over)
    assert ("barge_in_ms_p95" in figures) is (INTERRUPTED in over)

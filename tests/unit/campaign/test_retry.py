"""What follows an attempt, end by end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.campaign.retry import DEFAULTS, Again, Done, Ended, Retry, RetryRules, after
from agi_bot.contracts import Status

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = RetryRules()


@pytest.mark.parametrize(
    ("how", "wait"),
    [
        (Status.BUSY, timedelta(minutes=10)),
        (Status.NO_ANSWER, timedelta(hours=2)),
        (Status.CONGESTION, timedelta(minutes=2)),
        ("machine", timedelta(hours=4)),
    ],
)
def test_each_end_has_its_interval(how: str, wait: timedelta) -> None:
    assert after(Ended(how, AT), [], RULES) == Again(AT + wait, f"{how}: once more")


def test_each_end_has_its_count() -> None:
    assert isinstance(after(Ended(Status.NO_ANSWER, AT), ["no_answer"], RULES), Again)
    assert after(Ended(Status.NO_ANSWER, AT), ["no_answer"] * 2, RULES) == Done("no_answer 3 times")
    assert isinstance(after(Ended(Status.NO_ANSWER, AT), ["busy", "busy"], RULES), Again)


@pytest.mark.parametrize("how", [Status.REJECTED, Status.UNKNOWN, Status.CANCELLED, "something new"])
def test_never_again(how: str) -> None:
    assert isinstance(after(Ended(how, AT), [], RULES), Done)


def test_an_unallocated_number_is_marked() -> None:
    assert after(Ended(Status.INVALID_NUMBER, AT), [], RULES) == Done("the number does not exist", unallocated=True)


def test_a_refusal_beats_a_callback() -> None:
    ended = Ended("refused", AT, answered=True, refused=True, call_back_at=AT + timedelta(days=1))
    assert after(ended, [], RULES) == Done("the person refused")


def test_a_callback_is_kept_to_the_minute() -> None:
    when = AT + timedelta(days=1, hours=3)
    assert after(Ended("call_back", AT, answered=True, call_back_at=when), [], RULES) == Again(
        when, "the person asked to be called then"
    )


def test_a_callback_in_the_past_is_no_callback() -> None:
    ended = Ended("call_back", AT, answered=True, call_back_at=AT - timedelta(hours=1))
    assert isinstance(after(ended, [], RULES), Done)


def test_a_conversation_ends_the_task() -> None:
    assert after(Ended("confirmed", AT, answered=True), ["busy"], RULES) == Done("the conversation was had")


def test_a_campaign_may_retry_an_outcome_of_its_own() -> None:
    rules = RetryRules({**DEFAULTS, "no_response": Retry(1, timedelta(days=1))})
    assert isinstance(after(Ended("no_response", AT, answered=True), [], rules), Again)


@pytest.mark.parametrize("how", [*Status, "machine"])
def test_a_conversation_s_outcome_is_never_taken_for_an_end_of_calls(how: str) -> None:
    had = Ended(how, AT, answered=True, person=True)
    assert after(had, [], RULES) == Done("the conversation was had")


@given(st.lists(st.sampled_from([*DEFAULTS, "confirmed", Status.UNKNOWN]), min_size=1, max_size=30))
def test_every_task_ends(ends: list[str]) -> None:
    before: list[str] = []
    for how in ends:
        if isinstance(after(Ended(how, AT), before, RULES), Done):
            return
        before.append(how)
    assert len(before) < RULES.most

"""May I call this number now?  Every rule, its end, and that whatever is unknown is a no."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.campaign.permission import History, Permission, Rules, State, Window, may_call

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)
"""A Tuesday."""
NOBODY = History("Asia/Shanghai")
RULES = Rules()


def refused(permission: Permission, rule: str) -> datetime | None:
    assert not permission.allowed
    assert permission.rule == rule
    assert permission.reason
    return permission.until


def test_after_the_event_nobody_is_called_about_it() -> None:
    minute = timedelta(minutes=1)
    assert may_call(RULES, replace(NOBODY, not_after=NOON + minute), NOON).allowed
    assert refused(may_call(RULES, replace(NOBODY, not_after=NOON - minute), NOON), "too_late") is None


def test_a_stranger_at_noon_may_be_called() -> None:
    assert may_call(RULES, NOBODY, NOON) == Permission(True)


def test_what_is_not_known_is_a_no() -> None:
    assert refused(may_call(RULES, None, NOON), "unknown") is None
    assert refused(may_call(RULES, replace(NOBODY, zone="Mars/Olympus"), NOON), "zone") is None
    assert refused(may_call(RULES, replace(NOBODY, zone="../etc/passwd"), NOON), "zone") is None


def test_a_moment_without_zone_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        may_call(RULES, NOBODY, datetime(2026, 11, 24, 12))


def test_never() -> None:
    assert refused(may_call(RULES, replace(NOBODY, lists=("state", "own")), NOON), "do_not_call") is None
    assert refused(may_call(RULES, replace(NOBODY, reachable=False), NOON), "unallocated") is None
    assert refused(may_call(replace(RULES, state=State.ENDED), NOBODY, NOON), "campaign") is None
    assert refused(may_call(replace(RULES, consent=True), NOBODY, NOON), "consent") is None
    assert may_call(replace(RULES, consent=True), replace(NOBODY, consented=True), NOON).allowed


def test_the_list_is_named_for_the_explanation() -> None:
    assert "own, state" in may_call(RULES, replace(NOBODY, lists=("state", "own")), NOON).reason


def test_a_pause_may_be_asked_again() -> None:
    assert refused(may_call(replace(RULES, state=State.PAUSED), NOBODY, NOON), "campaign") == NOON


@pytest.mark.parametrize(
    ("hour", "minute", "allowed"), [(8, 59, False), (9, 0, True), (19, 59, True), (20, 0, False), (23, 0, False)]
)
def test_the_window_is_half_open(hour: int, minute: int, allowed: bool) -> None:
    assert may_call(RULES, NOBODY, NOON.replace(hour=hour, minute=minute)).allowed is allowed


def test_the_window_counts_in_the_callees_zone() -> None:
    shanghai_noon_in_new_york = may_call(RULES, History("America/New_York"), NOON)
    until = refused(shanghai_noon_in_new_york, "window")
    assert until == datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("America/New_York"))


def test_weekdays_and_holidays_move_the_next_opening() -> None:
    week = Rules(
        windows=(Window(time(9), time(18), frozenset({1, 2, 3, 4, 5})),), holidays=frozenset({date(2026, 11, 30)})
    )
    friday_night = datetime(2026, 11, 27, 19, tzinfo=SHANGHAI)
    assert refused(may_call(week, NOBODY, friday_night), "window") == datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)
    holiday = datetime(2026, 11, 30, 12, tzinfo=SHANGHAI)
    assert "holiday" in may_call(week, NOBODY, holiday).reason


def test_two_windows_with_a_lunch_break() -> None:
    rules = Rules(windows=(Window(time(9), time(12)), Window(time(14), time(20))))
    assert refused(may_call(rules, NOBODY, NOON), "window") == NOON.replace(hour=14)


def test_no_window_at_all_is_never() -> None:
    assert refused(may_call(Rules(windows=()), NOBODY, NOON), "window") is None


def test_an_opening_in_the_gap_of_a_clock_change_is_a_real_moment() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    rules = Rules(windows=(Window(time(2, 30), time(5)),))
    night = datetime(2026, 3, 28, 22, tzinfo=berlin)
    until = refused(may_call(rules, History("Europe/Berlin"), night), "window")
    assert until is not None
    assert until.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert may_call(rules, History("Europe/Berlin"), until).allowed


def test_an_opening_in_the_hour_that_comes_twice_is_never_in_the_past() -> None:
    rules = Rules(windows=(Window(time(2, 30), time(5)),))
    second_time = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 in Berlin, after 02:30 was there once
    until = refused(may_call(rules, History("Europe/Berlin"), second_time), "window")
    assert until is not None
    assert until.astimezone(UTC) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert may_call(rules, History("Europe/Berlin"), until).allowed


def test_the_interval_is_of_real_hours_when_the_clock_is_changed() -> None:
    rules = Rules(windows=(Window(time(0), time(23, 59)),), caps=(), min_interval=timedelta(hours=4))
    last = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 for the first time
    by_the_hands = datetime(2026, 10, 25, 6, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    until = refused(may_call(rules, History("Europe/Berlin", calls=(last,)), last + timedelta(hours=3)), "min_interval")
    assert until == last + timedelta(hours=4)
    assert by_the_hands - timedelta(hours=1) == until


def test_a_refusal_cools_down() -> None:
    history = replace(NOBODY, refused_at=NOON - timedelta(days=30))
    assert refused(may_call(RULES, history, NOON), "cool_down") == NOON + timedelta(days=60)
    assert may_call(RULES, history, NOON + timedelta(days=60)).allowed


def test_the_interval_between_two_calls() -> None:
    rules = replace(RULES, caps=())
    history = replace(NOBODY, calls=(NOON - timedelta(hours=1), NOON - timedelta(days=3)))
    assert refused(may_call(rules, history, NOON), "min_interval") == NOON + timedelta(hours=3)


def test_caps_count_over_all_campaigns_and_name_the_first_free_moment() -> None:
    calls = tuple(NOON - timedelta(days=day, hours=1) for day in (1, 3, 5))
    until = refused(may_call(RULES, replace(NOBODY, calls=calls), NOON), "cap_7d")
    assert until == calls[2] + timedelta(days=7)
    assert may_call(RULES, replace(NOBODY, calls=calls), until).allowed


def test_a_cap_of_zero_is_never() -> None:
    assert refused(may_call(Rules(caps=((1, 0),)), NOBODY, NOON), "cap_1d") is None


def test_the_longest_wait_is_told() -> None:
    history = replace(NOBODY, calls=(NOON - timedelta(hours=1),), refused_at=NOON - timedelta(days=1))
    assert refused(may_call(RULES, history, NOON), "cool_down") == NOON + timedelta(days=89)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CLOCK_CHANGES = st.sampled_from([datetime(2026, 3, 29), datetime(2026, 10, 24, 18), datetime(2026, 3, 8, 4)])
NEAR_A_CHANGE = st.builds(
    lambda day, minutes: day.replace(tzinfo=UTC) + timedelta(minutes=minutes), CLOCK_CHANGES, st.integers(0, 720)
)
AT_NIGHT = st.lists(st.integers(0, 300), min_size=2, max_size=2, unique=True).map(sorted)
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(now=MOMENTS, zone=ZONES, calls=st.lists(MOMENTS, max_size=8), refused_at=st.none() | MOMENTS)
def test_waiting_until_the_named_moment_never_goes_in_circles(
    now: datetime, zone: str, calls: list[datetime], refused_at: datetime | None
) -> None:
    """Asking again at ``until`` makes progress, and some such moment allows the call."""
    past = [call for call in calls if call <= now]
    history = History(zone, calls=past, refused_at=refused_at if refused_at and refused_at <= now else None)
    for _ in range(20):
        permission = may_call(RULES, history, now)
        if permission.allowed:
            return
        assert permission.until is not None
        assert permission.until > now
        now = permission.until
    pytest.fail("no moment was ever allowed")


@given(now=NEAR_A_CHANGE, zone=ZONES, minutes=AT_NIGHT)
def test_windows_of_the_night_are_waited_for_across_a_clock_change(
    now: datetime, zone: str, minutes: list[int]
) -> None:
    begin, end = (time(minute // 60, minute % 60) for minute in minutes)
    rules = Rules(windows=(Window(begin, end),), caps=(), min_interval=timedelta(0))
    for _ in range(3):
        permission = may_call(rules, History(zone), now)
        if permission.allowed:
            assert begin <= now.astimezone(ZoneInfo(zone)).time() < end
            return
        assert permission.until is not None
        assert permission.until.timestamp() > now.timestamp()
        now = permission.until.astimezone(UTC)
    pytest.fail("no moment was ever allowed")

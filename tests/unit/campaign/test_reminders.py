"""When people are called about an event: days and hours before, hours, holidays, clock changes, repetition."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.campaign.permission import Rules, Window, is_open
from agi_bot.campaign.reminders import call_at, occurrences, read_reminder, read_repeat

SHANGHAI = ZoneInfo("Asia/Shanghai")
URUMQI = ZoneInfo("Asia/Urumqi")
BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS = Rules(windows=(Window(time(0), time(23, 59, 59, 999999)),))
COURSE = datetime(2026, 12, 3, 8, 0, tzinfo=SHANGHAI)
"""A Thursday."""


def at(word: str, event: datetime = COURSE, rules: Rules | None = None, zone: ZoneInfo = SHANGHAI) -> str:
    found = call_at(read_reminder(word), event, rules or Rules(), zone)
    return "" if found is None else f"{found:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("word", "when"),
    [
        ("3d@10:00", "11-30 10:00"),
        ("1d@10:00", "12-02 10:00"),
        ("0d@07:30", "12-02 19:59"),
        ("1d", "12-02 09:00"),
        ("20h", "12-02 12:00"),
        ("90m", "12-02 19:59"),
        ("3d@21:30", "12-01 09:00"),
    ],
    ids=["days", "day", "before the hours of its own day", "own time of day", "hours", "too early", "too late"],
)
def test_before_the_event_and_in_the_hours(word: str, when: str) -> None:
    assert at(word) == when


def test_days_are_counted_where_the_person_lives() -> None:
    late = datetime(2026, 12, 3, 1, 0, tzinfo=SHANGHAI)
    assert at("1d@10:00", late) == "12-02 10:00"
    assert at("1d@10:00", late, zone=URUMQI) == "12-01 10:00", "there it is still the 2nd"


def test_holidays_and_weekdays_move_it_too() -> None:
    holiday = Rules(holidays=frozenset({date(2026, 12, 2)}))
    assert at("1d@10:00", rules=holiday) == "12-01 19:59", "the next opening would be after the event"
    weekdays = Rules(windows=(Window(time(9), time(18), frozenset({1})),))
    assert at("1d@10:00", rules=weekdays) == "11-30 17:59"
    assert at("1d", rules=Rules(windows=())) == ""


def test_a_clock_change_between_the_call_and_the_event() -> None:
    event = datetime(2027, 3, 28, 12, 0, tzinfo=BERLIN)
    assert at("1d@10:00", event, ALWAYS, BERLIN) == "03-27 10:00"
    assert at("24h", event, ALWAYS, BERLIN) == "03-27 11:00", "24 hours are 24 hours"
    assert at("0d@02:30", event, ALWAYS, BERLIN) == "03-28 03:30", "02:30 is left out that day"
    twice = datetime(2026, 10, 25, 12, 0, tzinfo=BERLIN)
    found = call_at(read_reminder("0d@02:30"), twice, ALWAYS, BERLIN)
    assert found is not None
    assert found.utcoffset() == timedelta(hours=2), "the first of the two"


@pytest.mark.parametrize(
    "word", ["", "d", "3w", "0h", "2h@10:00", "1d@9:00", "1d@25:00", "１d", "1d\n", "-1d", "1000d"]
)
def test_reminders_that_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"form|time of day|hour"):
        read_reminder(word)


def test_a_reminder_is_written_as_it_was_read() -> None:
    words = ["3d", "1d@10:00", "2h", "90m", "0d@08:00"]
    assert [read_reminder(word).word for word in words] == words


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1))


@given(MOMENTS, st.sampled_from(["3d", "1d@10:00", "2h", "0d@06:00", "7d@23:00"]), st.sampled_from([BERLIN, SHANGHAI]))
def test_whatever_the_event_the_call_is_before_it_and_in_the_hours(event: datetime, word: str, zone: ZoneInfo) -> None:
    rules = Rules()
    moment = event.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    found = call_at(read_reminder(word), moment, rules, zone)
    assert found is not None
    assert found < moment
    assert is_open(rules, rules.windows[0], found)


def days(start: datetime, repeat: str, until: datetime) -> list[str]:
    return [f"{one:%m-%d %H:%M}" for one in occurrences(start, read_repeat(repeat), start - timedelta(1), until)]


def test_an_event_that_is_not_repeated() -> None:
    assert days(COURSE, "", COURSE + timedelta(9)) == ["12-03 08:00"]
    assert days(COURSE, "", COURSE - timedelta(hours=1)) == []
    assert occurrences(COURSE, "", COURSE, COURSE) == []


def test_repetition() -> None:
    until = COURSE + timedelta(days=14)
    assert days(COURSE, "weekly", until) == ["12-03 08:00", "12-10 08:00", "12-17 08:00"]
    assert days(COURSE, "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", until) == ["12-03 08:00", "12-08 08:00", "12-10 08:00"]
    assert days(COURSE, "RRULE:FREQ=DAILY;INTERVAL=5;UNTIL=20261209T000000Z", until) == ["12-03 08:00", "12-08 08:00"]
    month_end = datetime(2027, 1, 31, 9, tzinfo=SHANGHAI)
    last = days(month_end, "FREQ=MONTHLY;BYMONTHDAY=-1", month_end + timedelta(days=60))
    assert last == ["01-31 09:00", "02-28 09:00", "03-31 09:00"]


def test_repetition_goes_by_the_wall_clock() -> None:
    start = datetime(2027, 3, 21, 2, 30, tzinfo=BERLIN)
    found = occurrences(start, "FREQ=WEEKLY", start - timedelta(1), start + timedelta(days=14, hours=1))
    assert [one.isoformat() for one in found] == [
        "2027-03-21T02:30:00+01:00",
        "2027-03-28T03:30:00+02:00",
        "2027-04-04T02:30:00+02:00",
    ]


def test_what_is_over_is_not_planned_again() -> None:
    later = COURSE + timedelta(days=8)
    found = occurrences(COURSE, "FREQ=WEEKLY", later, later + timedelta(days=7))
    assert found == [COURSE + timedelta(days=14)]


@pytest.mark.parametrize(
    "rule",
    [
        "hourly",
        "FREQ=SECONDLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;BYMONTH=13",
        "FREQ=YEARLY;BYEASTER=0",
        "FREQ=DAILY;COUNT=99999999",
        "DTSTART:20260101\nRRULE:FREQ=DAILY",
        "FREQ=DAILY\nEXDATE:20260101",
        "每天",
    ],
)
def test_rules_that_are_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"rule|BYMONTHDAY"):
        read_repeat(rule)

"""Dates in spoken Mandarin: 大后天, 下礼拜三, 这个月二十八号, 过两天, 月底, 二零二七年三月五号."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from agi_bot.nlu.entities.calendar import (
    SATURDAY,
    day_of_month,
    first_of_month,
    full_year,
    last_day,
    month_day,
    months_on,
    weekday,
)
from agi_bot.nlu.entities.numerals_zh import digits, whole
from agi_bot.nlu.entities.pieces import Rule, Said

_N = r"(?:[一二两三四五六七八九十廿]{1,3}|\d{1,2})"
_YEAR = r"(?:[零〇一二三四五六七八九]{4}|[零〇一二三四五六七八九]{2}|\d{4}|\d{2})年"
_WEEKDAYS = "一二三四五六日"
_DAYS = {"今": 0, "明": 1, "后": 2, "大后": 3, "昨": -1, "前": -2, "大前": -3}
_YEARS = {"今年": 0, "明年": 1, "后年": 2, "去年": -1}
_HOLIDAYS = {"元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "劳动节": (5, 1), "五一": (5, 1), "儿童节": (6, 1),
             "六一": (6, 1), "教师节": (9, 10), "国庆": (10, 1), "十一假期": (10, 1), "平安夜": (12, 24),
             "圣诞": (12, 25)}  # fmt: skip


def _near(match: re.Match[str], now: datetime) -> Said:
    return Said(now.date() + timedelta(days=_DAYS[match["day"]]))


def _week(match: re.Match[str], now: datetime) -> Said:
    which = match["which"] or ""
    weeks = which.count("下") - which.count("上") if which else None
    name = match["name"].replace("天", "日").translate(str.maketrans("1234567", "一二三四五六日"))
    number = _WEEKDAYS.index(name)
    if weeks is not None and weeks < 0:
        return Said(now.date() - timedelta(days=now.weekday() - number, weeks=-weeks))
    return Said(weekday(now.date(), number, weeks))


def _weekend(match: re.Match[str], now: datetime) -> Said:
    return Said(weekday(now.date(), SATURDAY, (match["which"] or "").count("下")))


def _next_week(match: re.Match[str], now: datetime) -> Said:
    return Said(weekday(now.date(), 0, match["which"].count("下")))


def _full(match: re.Match[str], now: datetime) -> Said:
    year = full_year(int(digits(match["year"].rstrip("年"))), now.date())
    return Said(date(year, whole(match["month"]), whole(match["day"])))


def _iso(match: re.Match[str], now: datetime) -> Said:
    return Said(date(int(match[1]), int(match[2]), int(match[3])))


def _month(match: re.Match[str], now: datetime) -> Said:
    month = 1 if match["month"] == "元" else whole(match["month"])
    year = now.year + _YEARS[match["which"]] if match["which"] and match["which"] != "今年" else None
    return Said(month_day(now.date(), month, whole(match["day"]), year))


def _day(match: re.Match[str], now: datetime) -> Said:
    which = match["which"] or ""
    return Said(day_of_month(now.date(), whole(match["day"]), which.count("下") or None))


def _month_end(match: re.Match[str], now: datetime) -> Said:
    first = first_of_month(now.date(), (match["which"] or "").count("下"))
    if match["month"]:
        first = month_day(now.date(), whole(match["month"]), 28).replace(day=1)
    day = {"初": 1, "中": 15}.get(match["part"], last_day(first))
    return Said(first.replace(day=day) if first.replace(day=day) >= now.date() else first_of_month(first, 1))


def _later(match: re.Match[str], now: datetime) -> Said | None:
    if not match["over"] and not match["after"]:
        return None
    today, unit = now.date(), match["unit"]
    if match["count"] == "半":
        return Said(today + timedelta(days=15)) if unit.endswith("月") else None
    count = whole(match["count"])
    if unit.endswith("月"):
        return Said(months_on(today, count))
    return Said(today + (timedelta(days=count) if unit == "天" else timedelta(weeks=count)))


def _holiday(match: re.Match[str], now: datetime) -> Said:
    return Said(month_day(now.date(), *_HOLIDAYS[match["name"]]))


_THIS = r"(?:这个?|本)"
_NAMED = r"(?:[,， ]?是?(?:周|星期|礼拜)[一二三四五六日天])?"
_UNIT = r"(?P<unit>天|个?周|个?星期|个?礼拜|个月)"
RULES: tuple[Rule, ...] = (
    (re.compile(r"(?P<day>大后|大前|后|前|明|今|昨)(?:天|儿个?|日|(?=[早晚]))"), _near),
    (
        re.compile(rf"(?P<which>{_THIS}|下下个?|下个?|上上个?|上个?)?(?:周|星期|礼?拜)(?P<name>[一二三四五六日天1-7])"),
        _week,
    ),
    (re.compile(rf"(?P<which>{_THIS}|下下个?|下个?)?周末"), _weekend),
    (re.compile(r"(?P<which>下下个?|下个?)(?:周|星期|礼拜)(?![一二三四五六日天末1-7])"), _next_week),
    (re.compile(rf"(?P<year>{_YEAR})的?(?P<month>{_N})月(?P<day>{_N})[号日]?{_NAMED}"), _full),
    (re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"), _iso),
    (
        re.compile(
            rf"(?:(?P<which>今年|明年|后年|去年)的?|(?<!年)(?<!年的))(?P<month>元|{_N})月(?:份的?)?(?P<day>{_N})[号日]?{_NAMED}"
        ),
        _month,
    ),
    (
        re.compile(
            rf"(?:(?P<which>{_THIS}月|下下个?月|下个?月)的?|(?<![月份的一二三四五六七八九十\d]))(?P<day>{_N})[号日]{_NAMED}(?![线楼店柜窗门床院])"
        ),
        _day,
    ),
    (
        re.compile(
            rf"(?:(?P<month>{_N})|(?P<which>{_THIS}|下下个?|下个?))?月(?P<part>底|末|初(?![一二三四五六七八九十])|中(?!旬))"
        ),
        _month_end,
    ),
    (re.compile(rf"(?P<over>过)?(?P<count>半|{_N}){_UNIT}(?P<after>以后|之后|过后|后)?"), _later),
    (re.compile(rf"(?P<name>{'|'.join(_HOLIDAYS)})节?(?:那天|当天)?"), _holiday),
)

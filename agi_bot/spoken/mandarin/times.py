"""Times of day in Mandarin."""

from __future__ import annotations

from agi_bot.spoken.mandarin.numbers import integer

_PERIODS = ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def clock(hour: int, minute: int, second: int = 0, period: str | None = None) -> str:
    """15:30: 下午三点半.  With ``period`` given (下午, or empty for none) it is not worked out."""
    if period is None:
        midnight = hour % 24 == 0 and not minute and not second
        period = "" if midnight else next(name for end, name in _PERIODS if hour % 24 < end)
    shown = hour % 24 if hour % 24 <= 12 else hour % 24 - 12
    return f"{period}{'两' if shown == 2 else integer(shown)}点{_past(minute, second)}"


def _past(minute: int, second: int) -> str:
    if not minute and not second:
        return ""
    if minute == 30 and not second:
        return "半"
    said = f"{'零' if minute < 10 else ''}{integer(minute) if minute else ''}分"
    return said + (f"{'零' if second < 10 else ''}{integer(second)}秒" if second else "")

"""The wall clock is set while a campaign is dialled through a real Asterisk: hours, pace and time-outs hold.

Nobody's telephone rings twice, and no task is lost.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.people import meet
from agi_bot.demo.installation import Installation
from tests.e2e.town import LivingBot, Town, judge
from tests.e2e.wall_clock import WallClock, faketime

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

TASKS = 12
LINES = 4
PER_SECOND = 3.0
SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3600.0


def between(begin: str, end: str, **rules: object) -> Rules:
    window = Window(day_time.fromisoformat(begin), day_time.fromisoformat(end))
    return Rules(windows=(window,), **{"caps": (), "min_interval": timedelta(0), **rules})  # type: ignore[arg-type]


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_is_set_by_hand(asterisk_installation: Installation, tmp_path: Path, jump: float) -> None:
    clock = WallClock(faketime(), tmp_path)
    clock.set_to(datetime(2027, 3, 10, 12, 0, tzinfo=SHANGHAI))
    right = clock.by
    async with Town(asterisk_installation, tmp_path, rings_s=(0.2, 1.5)) as town:
        bot = LivingBot(tmp_path, town.asterisk)
        bot.environment = clock.environment
        await bot.tell(town.asterisk)
        await bot.fill(TASKS, lines=LINES, per_second=PER_SECOND, ring_s=6.0, rules=between("11:30", "12:30"))
        bot.start()
        try:
            await bot.ready()
            await town.rings(4, within_s=30)
            clock.set_by(right + jump)
            await refused(bot)  # the clock is looked at once a second, and lines have to be free
            await bot.settled(town)
            waiting = bot.states().get("waiting", 0)
            assert waiting, "the campaign was over too early for this test, or somebody was called by this clock"
            assert bot.rows("SELECT DISTINCT rule FROM decisions WHERE allowed = 0") == [("window",)]
            clock.set_by(right)
            await bot.until_over(200)
        finally:
            bot.end()
        states = judge(town, bot, TASKS)
    assert states == {"done": TASKS}
    assert "dialer.clock_was_set" in bot.log.read_text(encoding="utf-8")
    pace_held(town, bot)
    longest = bot.rows("SELECT max((julianday(ended_at) - julianday(started_at)) * 86400) FROM calls")
    assert 0 < float(str(longest[0][0])) < 120, "a conversation lasts as long as it lasts"


async def test_the_hour_that_is_left_out_and_the_hour_that_comes_twice(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    clock = WallClock(faketime(), tmp_path)
    async with Town(asterisk_installation, tmp_path) as town:
        bot = LivingBot(tmp_path, town.asterisk)
        bot.environment = clock.environment
        await bot.tell(town.asterisk)
        night = between("01:50", "02:30", caps=((1, 1),))
        await bot.fill(TASKS // 2, lines=LINES, per_second=PER_SECOND, ring_s=6.0, rules=night)
        await live_in(bot, NEW_YORK)
        # 2027-03-14: after 01:59:59 comes 03:00:00.
        clock.set_to(datetime(2027, 3, 14, 3, 0, 1, tzinfo=NEW_YORK))
        assert clock.now() - datetime(2027, 3, 14, 1, 59, 59, tzinfo=NEW_YORK) < timedelta(seconds=5)
        bot.start()
        try:
            await bot.ready()
            await refused(bot)
            await asyncio.sleep(2)
            assert town.calls == 0, "of the window nothing but the gap is left"
            assert the_next(bot) == datetime(2027, 3, 15, 1, 50, tzinfo=NEW_YORK)
            # 2027-11-07: 01:59:59 comes twice, first at 05:59:59 UTC.
            clock.set_to(datetime(2027, 11, 7, 5, 51, tzinfo=UTC))
            await bot.until_over(200)
            await more(bot)
            clock.set_to(datetime(2027, 11, 7, 6, 51, tzinfo=UTC))
            await refused(bot, "cap_1d")
            await asyncio.sleep(3)
            assert town.called_twice() == [], "it is 01:51 once more, and the same day"
        finally:
            bot.end()
    assert town.calls == TASKS // 2


async def refused(bot: LivingBot, rule: str = "window") -> None:
    """Wait until a task was claimed and not permitted."""
    async with asyncio.timeout(60):
        while not bot.rows(f"SELECT 1 FROM decisions WHERE allowed = 0 AND rule = '{rule}'"):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)


def pace_held(town: Town, bot: LivingBot) -> None:
    # No burst of all that waited: at most the lines, at most the rate; a busy machine's telephones hear of it late,
    # and a bot without a processor notes it late: a burst would show in both.
    assert town.most_at_once <= LINES + 2
    placed = [float(str(at)) for (at,) in bot.rows("SELECT placed_at FROM attempts WHERE how != 'not_placed'")]
    assert min(most_within(1.0, town.rang_at), most_within(1.0, placed)) <= PER_SECOND + 3


def most_within(seconds: float, moments: Iterable[float]) -> int:
    moments = sorted(moments)
    return max(sum(first <= one < first + seconds for one in moments) for first in moments)


async def live_in(bot: LivingBot, zone: ZoneInfo) -> None:
    """Everybody is a customer whose telephone is in ``zone``; the campaign's own is another."""
    database = Database(bot.database)
    await database.open()
    await database.run(lambda db: db.execute("UPDATE tasks SET customer_id = number"))
    numbers = [str(number) for (number,) in bot.rows("SELECT number FROM tasks")]
    await database.run(lambda db: meet(db, [(number, number, zone.key) for number in numbers]))
    await database.close()


def the_next(bot: LivingBot) -> datetime:
    found = bot.rows("SELECT DISTINCT until FROM decisions WHERE rule = 'window' AND allowed = 0")
    (until,) = itertools.chain.from_iterable(found)
    return datetime.fromtimestamp(float(str(until)), NEW_YORK)


async def more(bot: LivingBot) -> None:
    """The same people are to be called about something else."""
    database = Database(bot.database)
    await database.open()
    again = (
        "INSERT INTO tasks (task_id, campaign_id, customer_id, number, flow, data, priority, due_at, state, reason, "
        "outcome, created_at, updated_at) SELECT 'again-' || task_id, campaign_id, customer_id, number, flow, data, "
        "priority, due_at, 'waiting', '', '', created_at, updated_at FROM tasks"
    )
    await database.run(lambda db: db.execute(again))
    put = "INSERT INTO queue_later (task_id, trunk, priority, due_at) SELECT task_id, 'default', 0, 0 FROM tasks"
    await database.run(lambda db: db.execute(f"{put} WHERE state = 'waiting'"))
    await database.close()

"""The bot is killed with -9 in a campaign on a real Asterisk: nobody's telephone rings twice, and no task is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.demo.installation import Installation
from tests.e2e.town import LivingBot, Town, kill_rounds

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

TASKS = 20
KILLS = 2


async def test_kill_9_in_a_campaign_on_a_real_asterisk(asterisk_installation: Installation, tmp_path: Path) -> None:
    async with Town(asterisk_installation, tmp_path) as town:
        bot = LivingBot(tmp_path, town.asterisk)
        await bot.fill(TASKS, lines=3, per_second=10.0)
        states = await kill_rounds(town, bot, KILLS, TASKS, within_s=200)
    assert states["done"] >= TASKS - KILLS * 3, "at most the calls of a moment are set aside"

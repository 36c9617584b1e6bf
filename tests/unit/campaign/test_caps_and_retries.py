"""How a person's caps and a campaign's retries go together, with the defaults of both."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agi_bot.campaign.model import AttemptEnd
from agi_bot.campaign.permission import Rules
from agi_bot.contracts import Status
from tests.unit.campaign.dialing import CAMPAIGN, NOON, Office, a_task

DEFAULT = replace(CAMPAIGN, rules=Rules())
MINUTE, DAY = 60.0, 86_400.0


async def calls_after(office: Office, *moments: float) -> list[int]:
    """How many calls there were by each moment after noon."""
    counted = []
    for moment in moments:
        office.now = NOON + moment
        await office.dial_for()
        counted.append(len(office.person.placed))
    return counted


@pytest.mark.parametrize(("how", "minutes"), [(Status.CONGESTION, 2), (Status.FAILED, 10)])
async def test_what_no_trunk_took_is_tried_again_within_minutes(office: Office, how: Status, minutes: int) -> None:
    office.person.ends["t"] = [AttemptEnd(how, 0)]
    await office.add(a_task(), campaign=DEFAULT)
    assert await calls_after(office, 0, minutes * MINUTE + 1) == [1, 2]


@pytest.mark.parametrize("how", [Status.BUSY, Status.NO_ANSWER, Status.UNREACHABLE, "machine"])
async def test_what_may_have_reached_the_person_is_tried_again_a_day_later(office: Office, how: str) -> None:
    office.person.ends["t"] = [AttemptEnd(how, 0)]
    await office.add(a_task(), campaign=DEFAULT)
    assert await calls_after(office, 0, 5 * 3600, DAY + 60) == [1, 1, 2]


async def test_a_campaign_that_allows_it_tries_a_busy_line_the_same_day(office: Office) -> None:
    """What docs/api.md advises."""
    often = Rules(caps=((1, 4), (7, 6)), min_interval=timedelta(hours=0.1))
    office.person.ends["t"] = [AttemptEnd(Status.BUSY, 0)]
    await office.add(a_task(), campaign=replace(CAMPAIGN, rules=often))
    assert await calls_after(office, 0, 10 * MINUTE + 1) == [1, 2]


async def test_while_a_call_is_out_it_counts(office: Office) -> None:
    await office.add(a_task(), a_task("u"), campaign=DEFAULT)
    assert await calls_after(office, 0) == [1]

"""What the campaigns of a trunk ask of it together.  Pure."""

from __future__ import annotations

import math

from agi_bot.campaign.model import Campaign
from agi_bot.campaign.pacing import Pace
from agi_bot.campaign.queue import Gate

SLOWEST = 0.01
"""Calls that are placed a second at least; what a campaign may ask for ends there."""


def by_trunk(campaigns: list[Campaign]) -> dict[str, list[Campaign]]:
    """``campaigns`` by the trunk whose lines they share."""
    found: dict[str, list[Campaign]] = {}
    for one in campaigns:
        found.setdefault(one.trunk, []).append(one)
    return found


def gate(campaigns: list[Campaign], tick_s: float) -> Gate:
    """The lines and the pace of a trunk whose queue is asked every ``tick_s`` seconds."""
    per_second = max(SLOWEST, *(one.per_second for one in campaigns))
    # The queue is asked once a tick: what is due within two of them may go at once.
    burst = max(2, math.ceil(2 * tick_s * per_second))
    return Gate(max(one.lines for one in campaigns), Pace(per_second, burst))

"""``agi-bot why``: every decision about a number, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from agi_bot.campaign.intake import check_number
from agi_bot.campaign.office import Office
from agi_bot.cli.screen import screen
from agi_bot.cli.store import ConfigOption, with_office

MOMENTS = {"due": "when it came due", "dial": "in the instant before dialling"}


@dataclass(frozen=True, slots=True)
class _Known:
    decisions: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    lists: list[dict[str, Any]]
    number: dict[str, Any]


def why(
    number: Annotated[str, typer.Argument(help="The telephone number.")],
    limit: Annotated[int, typer.Option(help="At most so many decisions.", min=1)] = 50,
    config: ConfigOption = None,
) -> None:
    """Tell why a number was called, or was not."""
    check_number(number)

    async def work(office: Office) -> _Known:
        return _Known(
            await office.tasks.decisions(number, limit),
            await office.people.attempts(number, limit),
            await office.people.lists(number),
            await office.people.known(number),
        )

    known = with_office(config, work)
    console = screen()
    for line in [*_standing(known), *map(_decision, known.decisions), *map(_attempt, known.attempts)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not known.decisions:
        console.print(f"{number}: nothing was ever decided about this number")


def _standing(known: _Known) -> list[str]:
    lines = [
        f"on the do-not-call list '{one['list']}' since {_at(one['added_at'])} ({one['source']})" for one in known.lists
    ]
    if known.number.get("unallocated"):
        lines.append("known as a number that does not exist")
    if known.number.get("refused_at"):
        lines.append(f"said no at {_at(known.number['refused_at'])}")
    if known.number.get("consented_at"):
        lines.append(f"agreed to be called at {_at(known.number['consented_at'])} ({known.number['consent_source']})")
    return lines


def _decision(one: dict[str, Any]) -> str:
    when = MOMENTS.get(one["moment"], one["moment"])
    if one["allowed"]:
        return f"{_at(one['at'])}  yes, {when} (task {one['task_id']})"
    until = f"; asked again at {_at(one['until'])}" if one["until"] else "; for good"
    return f"{_at(one['at'])}  no, {when}: {one['rule']}: {one['reason']}{until} (task {one['task_id']})"


def _attempt(one: dict[str, Any]) -> str:
    how = one["how"] or "not ended"
    detail = f": {one['detail']}" if one["detail"] else ""
    return f"{_at(one['placed_at'])}  called: {how}{detail} (call {one['attempt_id']})"


def _at(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S %Z}"

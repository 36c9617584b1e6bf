"""A list of people becomes tasks: page by page, with progress; what cannot be used is told with line and reason.

A task's id comes from its campaign and all that its row says: a list that is sent again, because
some of its rows had to be corrected or the bot broke while it was brought in, makes no second task.
"""

from __future__ import annotations

import asyncio
import csv
import difflib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agi_bot.campaign.intake import Order, Problem, Refused, check_zone, read_task
from agi_bot.campaign.lists import BadList, Row, open_list, read_through
from agi_bot.campaign.model import Campaign, Task
from agi_bot.campaign.office import Office, no_script
from agi_bot.flow import Flow

PAGE = 5000
"""Rows that are kept in one transaction."""

MOST_TOLD = 10_000
"""Refused rows that are told one by one."""

_TEXTS = ("customer_id", "number", "call_time", "dedupe_key")
COLUMNS = (*_TEXTS, "priority", "zone")
"""Columns beside those that the script's ``task:`` names."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not kept."""

    line: int
    field: str
    reason: str


@dataclass(slots=True)
class Imported:
    """What became of a list; ``known`` rows were there already by their dedupe key."""

    rows: int = 0
    new: int = 0
    known: int = 0
    refused: int = 0
    note: str = ""
    problems: list[RefusedRow] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def write(self, path: Path) -> None:
        """The refused rows as CSV."""
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow(["line", "field", "reason"])
            out.writerows((one.line, one.field, one.reason) for one in self.problems)


class Import:
    """Brings lists into ``campaign``; a row that is brought in twice makes its task once."""

    def __init__(self, office: Office, campaign: Campaign, progress: Callable[[Imported], None] | None = None) -> None:
        self._office = office
        self._campaign = campaign
        self._zone = check_zone(campaign.zone)
        self._progress = progress or (lambda done: None)
        self._zones: dict[str, ZoneInfo] = {}

    async def run(self, path: Path) -> Imported:
        """Keep every row that can be used.

        Raises :class:`~agi_bot.campaign.lists.BadList` for a file or column that cannot; nothing
        is kept then.  :class:`~agi_bot.errors.StoreError`: pages that were kept by then stay.
        """
        flow = self._office.scripts.get(self._campaign.flow)
        if flow is None:
            raise no_script(self._office.scripts, self._campaign.flow)
        await asyncio.to_thread(_check, path, flow)
        source = await asyncio.to_thread(open_list, path)
        done = Imported(note=source.note)
        while page := await asyncio.to_thread(lambda: list(islice(source.rows, PAGE))):
            await self._keep(page, flow, done)
            self._progress(done)
        return done

    async def _keep(self, page: list[Row], flow: Flow, done: Imported) -> None:
        now = self._office.clock()
        tasks, zones = await asyncio.to_thread(self._read, page, flow, now, done)
        new = await self._office.desk.add_many(tasks, zones, self._campaign.trunk, now) if tasks else 0
        done.rows += len(page)
        done.new += new
        done.known += len(tasks) - new

    def _read(self, page: list[Row], flow: Flow, now: float, done: Imported) -> tuple[list[Task], list[str]]:
        tasks, zones = [], []
        for row in page:
            try:
                if row.problem:
                    raise Refused(Problem("row", row.problem))
                tasks.append(self._task(row, flow, now))
                zones.append(str(row.values.get("zone", "")))
            except Refused as refused:
                done.refused += 1
                done.problems += [
                    RefusedRow(row.line, one.field, one.reason)
                    for one in refused.problems[: MOST_TOLD - len(done.problems)]
                ]
        return tasks, zones

    def _task(self, row: Row, flow: Flow, now: float) -> Task:
        order, zone = _order(row, self._campaign), row.values.get("zone")
        place = self._zone if zone is None else self._zone_named(str(zone))
        return read_task(order, flow, self._campaign.campaign_id, place, now, _id(self._campaign, row))

    def _zone_named(self, name: str) -> ZoneInfo:
        if name not in self._zones:
            self._zones[name] = check_zone(name)
        return self._zones[name]


def _check(path: Path, flow: Flow) -> None:
    first = read_through(path)
    if first is not None:
        _check_columns(path, first, flow)


def _id(campaign: Campaign, row: Row) -> str:
    said = json.dumps([campaign.campaign_id, dict(row.values)], ensure_ascii=True, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _order(row: Row, campaign: Campaign) -> Order:
    values = row.values
    for name in _TEXTS:
        if not isinstance(values.get(name, ""), str):
            raise Refused(Problem(name, "must be text in quotes: a number would lose its leading zeros"))
    priority = values.get("priority", 0)
    try:
        priority = int(priority)
    except (TypeError, ValueError, OverflowError):
        raise Refused(Problem("priority", f"'{str(priority)[:40]}' is not a whole number")) from None
    number = values.get("number", "")
    if not number:
        raise Refused(Problem("number", "is missing"))
    return Order(
        customer_id=values.get("customer_id", ""),
        script_id=campaign.flow,
        call_time=values.get("call_time", ""),
        number=number,
        data={name: value for name, value in values.items() if name not in COLUMNS},
        priority=priority,
        dedupe_key=values.get("dedupe_key") or None,
    )


def _check_columns(path: Path, row: Row, flow: Flow) -> None:
    known = [*COLUMNS, *flow.script.task]
    for name in _unknown(row, known):
        near = difflib.get_close_matches(name, known, n=1)
        raise BadList(
            f"{path}:1: the column '{name}' is neither of ours nor a field of {flow.name}",
            cure=f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}",
        )


def _unknown(row: Row, known: list[str]) -> Iterator[str]:
    return (name for name in row.columns if name and name not in known)

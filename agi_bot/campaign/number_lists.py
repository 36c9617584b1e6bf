"""Lists of numbers: who must not be called, who agreed to be called.  Page by page; refused rows are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path

from agi_bot.campaign.importing import MOST_TOLD, PAGE, Imported, RefusedRow
from agi_bot.campaign.intake import Problem, Refused, check_name, check_number, check_text
from agi_bot.campaign.lists import BadList, Row, open_list, read_through
from agi_bot.campaign.office import Office

COLUMN = "number"
Keep = Callable[[list[str]], Awaitable[int]]


async def import_do_not_call(office: Office, name: str, source: str, path: Path) -> Imported:
    """Put the numbers of the file ``path`` on the list ``name``; ``known`` ones were on it.

    Raises :class:`~agi_bot.campaign.intake.Refused` and :class:`~agi_bot.campaign.lists.BadList`;
    nothing is kept then.  :class:`~agi_bot.errors.StoreError`: pages that were kept by then stay.
    """
    check_name(name, "list")
    check_text(source, "source")
    return await _import(path, lambda page: office.tasks.add_do_not_call(name, page, source, office.clock()))


async def import_consent(office: Office, given: bool, source: str, path: Path) -> Imported:
    """The people with these numbers agreed to be called, or took it back.  Raises as :func:`import_do_not_call`."""
    check_text(source, "source")

    async def keep(page: list[str]) -> int:
        await office.tasks.set_consent(page, given, source, office.clock())
        return len(page)

    return await _import(path, keep)


async def _import(path: Path, keep: Keep) -> Imported:
    first = await asyncio.to_thread(read_through, path)
    if first is not None and first.columns and COLUMN not in first.columns:
        raise BadList(f"{path}:1: no column '{COLUMN}'", cure=f"name the column with the numbers '{COLUMN}'")
    source = await asyncio.to_thread(open_list, path)
    done = Imported(note=source.note)
    while page := await asyncio.to_thread(lambda: list(islice(source.rows, PAGE))):
        numbers = list(dict.fromkeys(number for row in page if (number := _number(row, done))))
        new = await keep(numbers) if numbers else 0
        done.rows += len(page)
        done.new += new
    done.known = done.rows - done.new - done.refused
    return done


def _number(row: Row, done: Imported) -> str:
    try:
        if row.problem:
            raise Refused(Problem("row", row.problem))
        value = row.values.get(COLUMN, "")
        if not isinstance(value, str):
            raise Refused(Problem(COLUMN, "must be text in quotes: a number would lose its leading zeros"))
        return check_number(value)
    except Refused as refused:
        done.refused += 1
        if len(done.problems) < MOST_TOLD:
            done.problems += [RefusedRow(row.line, one.field, one.reason) for one in refused.problems]
        return ""

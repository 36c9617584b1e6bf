"""Reading stored calls and showing what would differ, for ``agi-bot replay``."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agi_bot.campaign.store import CallStore, Database
from agi_bot.cli.authoring import Desk
from agi_bot.cli.screen import WIDEST
from agi_bot.cli.sound import Studio
from agi_bot.config import Settings
from agi_bot.errors import FlowError
from agi_bot.flow import Flow
from agi_bot.flow.replay import Difference, Summary, replay, summary
from agi_bot.flow.stored import record_of
from agi_bot.record import CallRecord

SPEECH_MARGIN_MS = 300
CALLER = 0
"""Channel of the caller in a recording."""


async def read_calls(settings: Settings, names: Sequence[str], limit: int) -> list[CallRecord]:
    """The calls that ``names`` say (JSON files or ids), or the latest ones of the store.

    Raises :class:`~agi_bot.errors.AgiBotError`.
    """
    files = [name for name in names if name.endswith((".json", ".jsonl"))]
    records = [record for name in files for record in _from_file(Path(name))]
    ids = [name for name in names if name not in files]
    if ids or not names:
        records += await _from_store(settings, ids, limit)
    return records


async def compare(
    settings: Settings, desk: Desk, records: Sequence[CallRecord], flow: Flow | None, from_recording: bool
) -> list[Difference]:
    """Each record against ``flow``, or its own; with ``from_recording`` as the present model hears it."""
    flows: dict[str, Flow] = {}
    studios: dict[str, Studio] = {}
    differences = []
    async with AsyncExitStack() as stack:
        for record in records:
            against = flow or _own(flows, desk, record.flow)
            if from_recording:
                if against.name not in studios:
                    studios[against.name] = await stack.enter_async_context(Studio(settings, against))
                await hear_again(studios[against.name], record)
            differences.append(await replay(record, against, await desk.interpreter(against)))
    return differences


def _own(flows: dict[str, Flow], desk: Desk, name: str) -> Flow:
    if name not in flows:
        flows[name] = desk.find(name)
    return flows[name]


async def hear_again(studio: Studio, record: CallRecord) -> None:
    """Replace what was heard in ``record`` by what the present model hears in its recording."""
    if not record.recording:
        raise FlowError(f"call {record.call_id} has no recording", cure="leave out --recording")
    for turn in record.turns:
        if turn.heard and turn.heard_from_ms is not None and turn.heard_to_ms is not None:
            start = max(0, turn.heard_from_ms - SPEECH_MARGIN_MS)
            end = turn.heard_to_ms + SPEECH_MARGIN_MS
            turn.heard = await studio.hear_part(Path(record.recording), start, end, CALLER)


def show(differences: Sequence[Difference], form: str, differing: bool) -> str:
    """The differences as a table (``text``) or as JSON."""
    listed = [found for found in differences if not (differing and found.same)]
    if form == "json":
        return json.dumps([{**asdict(found), "same": found.same} for found in listed], ensure_ascii=False, indent=2)
    return _tables(listed, summary(differences))


def _tables(listed: Sequence[Difference], total: Summary) -> str:
    console = Console(file=io.StringIO(), width=WIDEST, highlight=False)
    table = Table("call", "outcome then", "outcome now", "first difference", box=None, pad_edge=False)
    for found in listed:
        table.add_row(found.call_id, *found.outcome, _first(found))
    if listed:
        console.print(table)
    console.print(f"{total.calls} calls, {total.same} the same, {total.calls - total.same} would differ")
    for (then, now), count in total.outcomes.items():
        if then != now:
            console.print(f"  {count} × {then or '(none)'} → {now}")
    for (then, now), count in total.intents.items():
        console.print(f"  {count} × intent {then or '(not understood)'} → {now or '(not understood)'}")
    text = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    return text.rstrip("\n")


def _first(found: Difference) -> str:
    if found.error:
        return found.error
    if found.turns:
        turn = found.turns[0]
        intents = f"{turn.intent[0] or '?'} → {turn.intent[1] or '?'}"
        return f"“{turn.heard}” {intents}, step {turn.step[0]} → {turn.step[1]}"
    return "; ".join(f"{name}: {then or '(empty)'} → {now or '(empty)'}" for name, (then, now) in found.slots.items())


def _from_file(path: Path) -> list[CallRecord]:
    try:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines() if path.suffix == ".jsonl" else [text]
        loaded: list[Any] = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise FlowError(f"{path} cannot be read: {error}", cure="give a file with calls as JSON") from None
    calls = [call for item in loaded for call in (item if isinstance(item, list) else [item])]
    return [record_of(call if isinstance(call, Mapping) else {}, str(path)) for call in calls]


async def _from_store(settings: Settings, ids: Sequence[str], limit: int) -> list[CallRecord]:
    database = Database(settings.store.database)
    await database.open()
    try:
        store = CallStore(database)
        wanted = list(ids) or [str(row["call_id"]) for row in await store.latest(limit)]
        return [record_of(await _stored(store, call_id), call_id) for call_id in wanted]
    finally:
        await database.close()


async def _stored(store: CallStore, call_id: str) -> Mapping[str, Any]:
    found = await store.get(call_id)
    if found is None:
        raise FlowError(f"there is no stored call {call_id}", cure="look up its id in the log or the console")
    return found

"""Results as files: every task once, formulas harmless, numbers masked for those who may not see them."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from agi_bot.campaign.export import Export, Wish, inert, write
from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.retry import Done
from agi_bot.campaign.store import CallStore, Database
from agi_bot.campaign.store.results import PAGE, ResultStore
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.record import CallRecord, Turn
from agi_bot.web.roles import masked

NOON = 1_795_492_800.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(tmp_path / "a.db")
    await found.open()
    await TaskStore(found).save_campaign(Campaign("spring", "promotion"))
    await TaskStore(found).save_campaign(Campaign("other", "promotion"))
    yield found
    await found.close()


async def a_result(database: Database, at: int, slots: dict[str, str], unmasked: dict[str, str] | None = None) -> None:
    store, calls = TaskStore(database), CallStore(database)
    campaign = await store.campaign("spring")
    assert campaign is not None
    task = Task(f"t{at}", "spring", f"1380000000{at}", "promotion", NOON, f"c{at}")
    await store.add([task], NOON)
    assert await store.begin(task, campaign, f"a{at}", "me", NOON + at) is not None
    begun = datetime.fromtimestamp(NOON, UTC)
    record = CallRecord(
        f"a{at}", "promotion", "zh-CN", begun, ended_at=begun + timedelta(seconds=12), outcome="agreed",
        result_class="强烈意向", tags=["vip", "new"], slots=dict(slots),
        recording=f"/srv/bot/recordings/2026-11-24/a{at}.flac",
    )  # fmt: skip
    record.turns.append(Turn(said="您好", heard="好", reply_ms=400, interpret_ms=3, endpoint_ms=200))
    original = CallRecord("a", "promotion", "zh-CN", begun, slots=dict(unmasked)) if unmasked else None
    await calls.save(record, original)
    await store.end(task, f"a{at}", AttemptEnd("agreed", NOON + 20, answered=True), Done("had"))


async def test_a_recording_is_told_by_its_place_in_the_folder(database: Database) -> None:
    await a_result(database, 1, {})
    (row,) = await read_csv(database, recordings=Path("/srv/bot/recordings"))
    assert row["recording"] == "2026-11-24/a1.flac"
    (row,) = await read_csv(database, recordings=Path("/moved"))
    assert row["recording"] == "a1.flac"


async def read_csv(database: Database, **wish: Any) -> list[dict[str, str]]:
    pieces = [piece async for piece in Export(ResultStore(database), Wish("spring", **wish)).csv()]
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))


async def test_a_row_for_each_task(database: Database) -> None:
    await a_result(database, 1, {"city": "上海"})
    await a_result(database, 2, {"day": "2026-12-01"})
    waiting = Task("t9", "spring", "13800000009", "promotion", NOON)
    await TaskStore(database).add([waiting, Task("x", "other", "13800000008", "promotion", NOON)], NOON)
    rows = await read_csv(database)
    assert [row["task_id"] for row in rows] == ["t1", "t2", "t9"]
    assert (rows[0]["outcome"], rows[0]["result_class"], rows[0]["tags"]) == ("agreed", "强烈意向", "vip new")
    assert (rows[0]["slot.city"], rows[0]["slot.day"], rows[1]["slot.day"]) == ("上海", "", "2026-12-01")
    assert (rows[0]["talk_s"], rows[0]["attempts"], rows[0]["reply_ms"]) == ("12.0", "1", "400")
    assert rows[0]["placed_at"] == "2026-11-24T04:00:01+00:00"
    assert (rows[2]["state"], rows[2]["attempts"], rows[2]["call_id"]) == ("waiting", "0", "")


FORMULAS = ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-5", "-5.25", "上海", "", "1-1", None, 5, -5])
def test_what_is_no_formula_stays(value: Any) -> None:
    assert inert(value) == value


async def test_formulas_in_files(database: Database, tmp_path: Path) -> None:
    await a_result(database, 1, {"note": "=1+1", "bell": "a\x07b"})
    assert (await read_csv(database))[0]["slot.note"] == "'=1+1"
    await write(Export(ResultStore(database), Wish("spring")), "xlsx", tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[0]
    head, row = (list(line) for line in sheet.iter_rows())
    cells = dict(zip([cell.value for cell in head], row, strict=True))
    assert (cells["slot.note"].value, cells["slot.note"].data_type) == ("'=1+1", "s")
    assert cells["slot.bell"].value == "a\ufffdb"
    assert cells["talk_s"].value == 12
    assert not (tmp_path / "r.xlsx.part").exists()


async def test_json_is_one_array(database: Database) -> None:
    async def read() -> Any:
        return json.loads(b"".join([piece async for piece in Export(ResultStore(database), Wish("spring")).json()]))

    assert await read() == []
    await a_result(database, 1, {"city": "上海"})
    await a_result(database, 2, {})
    rows = await read()
    assert [row["slots"] for row in rows] == [{"city": "上海"}, {}]
    assert rows[0]["tags"] == ["vip", "new"]


async def test_a_byte_order_mark_for_excel(database: Database, tmp_path: Path) -> None:
    for bom in (False, True):
        await write(Export(ResultStore(database), Wish("spring", bom=bom)), "csv", tmp_path / "r.csv")
        assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbf") is bom


async def test_who_sees_what(database: Database) -> None:
    await a_result(database, 1, {"phone": "***********", "id": "*"}, {"phone": "13912345678"})
    (row,) = await read_csv(database, hide=masked)
    assert (row["number"], row["slot.phone"]) == ("138****0001", "***********")
    (row,) = await read_csv(database)
    assert (row["number"], row["slot.phone"]) == ("13800000001", "***********")
    (row,) = await read_csv(database, original=True)
    assert row["slot.phone"] == "13912345678"


async def test_pages_and_memory(database: Database) -> None:
    count = PAGE * 5 + 3
    tasks = [Task(f"p{n:06}", "spring", f"139{n:08}", "promotion", NOON) for n in range(count)]
    await TaskStore(database).add(tasks, NOON)
    del tasks
    seen, tracemalloc_was = 0, tracemalloc.is_tracing()
    tracemalloc.start()
    async for piece in Export(ResultStore(database), Wish("spring")).csv():
        seen += piece.count(b"\r\n")
    peak = tracemalloc.get_traced_memory()[1]
    if not tracemalloc_was:
        tracemalloc.stop()
    assert seen == count + 1
    assert peak < 8_000_000, "more than a page is held"

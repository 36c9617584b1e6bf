"""Lists as people really send them: GBK, byte order marks, spreadsheets with formulas, rows that cannot be used."""

from __future__ import annotations

import codecs
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from agi_bot.campaign.importing import PAGE, Import, Imported
from agi_bot.campaign.lists import BadList
from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import Office
from agi_bot.campaign.store import Database
from agi_bot.flow import Flow, load_text

NOON = 1_795_492_800.0
FLOW = """\
flow: promotion
task: {name: {type: text}, amount: {type: money, required: false}}
start: hello
steps:
  hello: {say: 您好。, end: done}
"""
CAMPAIGN = Campaign("spring", "promotion")


class Scripts:
    def get(self, name: str) -> Flow | None:
        flow = load_text(FLOW, "promotion.yaml")
        assert isinstance(flow, Flow)
        return flow

    def names(self) -> list[str]:
        return ["promotion"]


@dataclass
class Desk:
    """A store and a folder to import from."""

    office: Office
    folder: Path

    async def take(self, name: str, content: bytes | str) -> Imported:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return await Import(self.office, CAMPAIGN).run(path)

    async def tasks(self) -> list[dict[str, object]]:
        return await self.office.desk.page("spring", limit=1000)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = Database(tmp_path / "a.db")
    await database.open()
    office = Office(database, Scripts(), clock=lambda: NOON)
    await office.tasks.save_campaign(CAMPAIGN)
    yield Desk(office, tmp_path)
    await database.close()


LIST = "customer_id,number,name,call_time,priority\n7,13800000001,张伟,2026-11-24T15:00:00,3\n"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (LIST.encode(), ""),
        (LIST.encode("gbk"), "GBK"),
        (LIST.encode("utf-8-sig"), "UTF-8"),
        (codecs.BOM_UTF16_LE + LIST.encode("utf-16-le"), "UTF-16"),
        (LIST.replace("\n", "\r\n").encode(), ""),
    ],
    ids=["utf-8", "gbk", "bom", "utf-16", "crlf"],
)
async def test_encodings(desk: Desk, content: bytes, word: str) -> None:
    done = await desk.take("l.csv", content)
    assert (done.new, done.refused) == (1, 0)
    assert word in done.note
    (task,) = await desk.tasks()
    assert task["data"] == {"name": "张伟"}
    assert (task["customer_id"], task["priority"], task["due_at"]) == ("7", 3, NOON + 3 * 3600)
    customer = await desk.office.people.get("7")
    assert customer is not None
    assert customer["number"] == "13800000001"


async def test_neither_utf8_nor_gbk(desk: Desk) -> None:
    with pytest.raises(BadList, match="neither UTF-8 nor GBK"):
        await desk.take("l.csv", b"number,name\n13800000001,\xff\xff\xff\n")


async def test_a_formula_is_text(desk: Desk) -> None:
    await desk.take("l.csv", "number,name\n13800000001,=1+1\n13800000002,@SUM(A1)\n")
    assert [task["data"] for task in await desk.tasks()] == [{"name": "=1+1"}, {"name": "@SUM(A1)"}]


async def test_a_spreadsheet(desk: Desk) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["number", "name", "amount"])
    sheet.append([13800000001, "张伟", 12.5])
    sheet.append(["13800000002", "=HYPERLINK(1)", None])
    sheet.append([None, None, None])
    sheet.append([1.5, "李娜", None])
    book.save(desk.folder / "l.xlsx")
    done = await Import(desk.office, CAMPAIGN).run(desk.folder / "l.xlsx")
    assert (done.rows, done.new, done.refused) == (3, 2, 1)
    assert (done.problems[0].line, done.problems[0].field) == (5, "number")
    assert {task["number"]: task["data"] for task in await desk.tasks()} == {
        "13800000001": {"name": "张伟", "amount": "12.5"},
        "13800000002": {"name": "=HYPERLINK(1)"},
    }


async def test_json_lines(desk: Desk) -> None:
    rows = [
        {"number": "13800000001", "name": "张伟"},
        {"number": 13800000002, "name": "李娜"},
        {"number": "13800000003", "name": "王芳", "colour": "red"},
        ["x"],
    ]
    done = await desk.take("l.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n{]\n" + "[" * 100_000 + "\n")
    assert done.new == 1
    assert [(one.line, one.field) for one in done.problems] == [
        (2, "number"),
        (3, "data"),
        (4, "row"),
        (5, "row"),
        (6, "row"),
    ]


BAD_ROWS = [
    ("138 0000 0001,张伟,,", "number"),
    ("１３８００００００００,张伟,,", "number"),
    (",张伟,,", "number"),
    ("13800000001,,,", "data"),
    ("13800000001,张伟,2020-01-01T00:00:00,", "call_time"),
    ("13800000001,张伟,9999-01-01T00:00:00,", "call_time"),
    ("13800000001,张伟,,high", "priority"),
    ("13800000001,张伟", "row"),
    ('13800000001,"张\n伟",,', "data.name"),
]


@pytest.mark.parametrize(("row", "field"), BAD_ROWS)
async def test_a_bad_row_is_told_and_the_others_are_kept(desk: Desk, row: str, field: str) -> None:
    done = await desk.take("l.csv", f"number,name,call_time,priority\n13800000009,李娜,,\n{row}\n")
    assert (done.new, done.refused) == (1, 1)
    assert done.problems[0].field == field
    assert done.problems[0].line in (3, 4)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("number,nmae\n13800000001,x\n", "nmae"),
        ("number,number\n1,2\n", "twice"),
        ("number;name\n13800000001;x\n", "commas"),
        (",,\n", "names no columns"),
        ("13800000001,张伟\n13800000002,李娜\n", "l.csv:1: the first line names no columns, a number stands in it"),
        ("张伟,+86 138-0000-0001\n", "a number stands in it"),
        ("number,nmae\n13800000001,\n", "nmae"),
        ('number,name\n13800000001,"x\n', "l.csv"),
    ],
)
async def test_a_list_that_cannot_be_used_at_all(desk: Desk, text: str, word: str) -> None:
    with pytest.raises(BadList, match=word):
        await desk.take("l.csv", text)
    assert await desk.tasks() == []


async def test_a_sheet_without_names_of_columns(desk: Desk) -> None:
    book = openpyxl.Workbook()
    for number in (13800000001, 13800000002.0):
        book.worksheets[0].append([number, "张伟"])
    book.save(desk.folder / "l.xlsx")
    with pytest.raises(BadList, match=r"l\.xlsx:1: the first line names no columns") as caught:
        await Import(desk.office, CAMPAIGN).run(desk.folder / "l.xlsx")
    assert "put a line above it" in (caught.value.cure or "")


async def test_a_list_that_breaks_in_the_middle_is_not_kept_by_half(desk: Desk) -> None:
    whole = "number,name\n" + "".join(f"139{n:08},x\n" for n in range(PAGE))
    with pytest.raises(BadList, match=f"l.csv:{PAGE + 2}:"):
        await desk.take("l.csv", whole + '13900000000,"he said "no"\n')
    assert await desk.tasks() == []


async def test_a_sheet_that_breaks_in_the_middle_is_told_with_its_line(desk: Desk) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["number", "name"])
    for n in range(3):
        sheet.append([f"1390000000{n}", f"x{n}"])
    book.save(desk.folder / "whole.xlsx")
    broken = desk.folder / "l.xlsx"
    with ZipFile(desk.folder / "whole.xlsx") as whole, ZipFile(broken, "w") as out:
        for name in whole.namelist():
            out.writestr(name, whole.read(name).replace(b't="inlineStr"><is><t>x2</t></is>', b't="s"><v>9999</v>'))
    with pytest.raises(BadList, match=r"l.xlsx:4: the sheet is broken here"):
        await Import(desk.office, CAMPAIGN).run(broken)
    assert await desk.tasks() == []


async def test_a_list_that_is_sent_again_makes_no_second_task(desk: Desk) -> None:
    row, other = "13800000001,张伟\n", "13800000001,李娜\n"
    first = await desk.take("l.csv", f"number,name\n{row}{other}{row}12,王芳\n")
    assert (first.new, first.known, first.refused) == (2, 1, 1)
    corrected = await desk.take("corrected.csv", f"number,name\n13900000012,王芳\n{other}{row}")
    assert (corrected.new, corrected.known, corrected.refused) == (1, 2, 0)
    autumn = replace(CAMPAIGN, campaign_id="autumn")
    await desk.office.tasks.save_campaign(autumn)
    assert (await Import(desk.office, autumn).run(desk.folder / "corrected.csv")).new == 3


async def test_files_that_are_no_lists(desk: Desk) -> None:
    for name, word in (("l.pdf", "not a list"), ("l.xlsx", "not a readable")):
        with pytest.raises(BadList, match=word):
            await desk.take(name, b"%PDF-1.4")
    with pytest.raises(BadList, match="No such file"):
        await Import(desk.office, CAMPAIGN).run(desk.folder / "nothing.csv")


async def test_a_list_brought_in_twice(desk: Desk) -> None:
    text = "number,name,dedupe_key\n13800000001,张伟,a\n13800000002,李娜,b\n13800000003,王芳,a\n"
    first, second = await desk.take("l.csv", text), await desk.take("l.csv", text)
    assert (first.new, first.known) == (2, 1)
    assert (second.new, second.known) == (0, 3)
    with sqlite3.connect(desk.folder / "a.db") as db:
        assert db.execute("SELECT count(*) FROM queue_later").fetchone() == (2,)
    db.close()


async def test_pages_and_progress(desk: Desk) -> None:
    path = desk.folder / "l.csv"
    count = PAGE * 2 + 7
    path.write_text("number,name\n" + "".join(f"139{n:08},x\n" for n in range(count)))
    seen: list[int] = []
    done = await Import(desk.office, CAMPAIGN, lambda told: seen.append(told.rows)).run(path)
    assert seen == [PAGE, 2 * PAGE, count]
    assert done.new == count
    assert (await desk.office.tasks.counts("spring")) == {"waiting": count}


async def test_the_refused_rows_as_a_file(desk: Desk) -> None:
    done = await desk.take("l.csv", "number,name\nabc,张伟\n")
    done.write(desk.folder / "refused.csv")
    text = (desk.folder / "refused.csv").read_text("utf-8-sig")
    assert text.splitlines() == ["line,field,reason", "2,number,'a' is not a digit 0-9"]

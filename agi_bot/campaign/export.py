"""A campaign's results as CSV, JSON or XLSX: a row for each task, page by page, in constant memory.

Cells that a spreadsheet would run as a formula are made text (OWASP, CSV injection).
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agi_bot.campaign.store.results import ResultStore
from agi_bot.record import RECORDINGS, place_of

FORMATS = ("csv", "json", "xlsx")
ROWS_OF_A_SHEET = 1_000_000
"""A sheet takes 1,048,576 rows; what is more goes on a further one."""

SLOT = "slot."
WIDE = {"number": 16, "script_id": 24, "reason": 36, "outcome": 16, "placed_at": 26, "ended_at": 26, "recording": 40}
"""Width of a sheet's columns, characters; others are as wide as their names."""

_RUNS = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Hide = Callable[[str, Any], Any]


def as_it_is(name: str, value: Any) -> Any:
    """Hides nothing."""
    return value


@dataclass(frozen=True, slots=True)
class Wish:
    """``original``: what was said before it was masked, where it was kept; ``hide(column, value)`` masks more.

    ``recordings`` is the folder in which the column ``recording`` names places.
    ``bom``: begin a CSV with a byte order mark, so that Excel reads Chinese.
    """

    campaign_id: str
    original: bool = False
    bom: bool = False
    hide: Hide = as_it_is
    recordings: Path = RECORDINGS

    def shown(self, name: str, value: Any) -> Any:
        """What an export has of column ``name``."""
        return self.hide(name, place_of(value, self.recordings) if name == "recording" and value else value)


class Export:
    """Reads the results of one campaign."""

    def __init__(self, store: ResultStore, wish: Wish) -> None:
        self._store = store
        self._wish = wish

    async def csv(self) -> AsyncIterator[bytes]:
        """CSV (RFC 4180) in UTF-8."""
        columns = await self._store.columns(self._wish.campaign_id)
        if self._wish.bom:
            yield "\ufeff".encode()
        yield _lines([columns])
        async for page in self._pages(columns):
            yield _lines([[inert(cell) for cell in row] for row in page])

    async def json(self) -> AsyncIterator[bytes]:
        """One JSON array of objects with ``slots`` and ``tags``."""
        before = "["
        async for page in self._store.pages(self._wish.campaign_id, self._wish.original):
            yield (before + await asyncio.to_thread(self._lines, page)).encode("utf-8", "replace")
            before = ",\n"
        yield b"[]\n" if before == "[" else b"]\n"

    def _lines(self, page: Sequence[Mapping[str, Any]]) -> str:
        shown = [{name: self._wish.shown(name, value) for name, value in row.items()} for row in page]
        return ",\n".join(json.dumps(row, ensure_ascii=False) for row in shown)

    async def xlsx(self, path: Path) -> None:
        """A workbook; rows are written to disk as they come."""
        book = await asyncio.to_thread(_Book, await self._store.columns(self._wish.campaign_id))
        async for page in self._pages(book.columns):
            await asyncio.to_thread(book.add, page)
        await asyncio.to_thread(book.save, path)

    async def _pages(self, columns: Sequence[str]) -> AsyncIterator[list[list[Any]]]:
        async for page in self._store.pages(self._wish.campaign_id, self._wish.original):
            # Masking and zipping take longer than a call's sound can wait.
            yield await asyncio.to_thread(self._shown, page, columns)

    def _shown(self, page: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[list[Any]]:
        return [[self._wish.shown(name, value) for name, value in _flat(row, columns)] for row in page]


class _Book:
    """A workbook that is written row by row."""

    def __init__(self, columns: Sequence[str]) -> None:
        from openpyxl import Workbook  # takes 0.3 s

        self.columns = columns
        self._book = Workbook(write_only=True)
        self._sheet = _sheet(self._book, columns)
        self._rows = 0

    def add(self, page: Sequence[Sequence[Any]]) -> None:
        for row in page:
            if self._rows and self._rows % ROWS_OF_A_SHEET == 0:
                self._sheet = _sheet(self._book, self.columns)
            self._sheet.append([_cell(value) for value in row])
            self._rows += 1

    def save(self, path: Path) -> None:
        self._book.save(path)


def _sheet(book: Any, columns: Sequence[str]) -> Any:
    """A new sheet whose head stays in sight; its columns are as wide as what is read in them."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    head = []
    for place, name in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDE.get(name, max(10, len(name) + 2))
        head.append(WriteOnlyCell(sheet, value=name))
        head[-1].font = Font(bold=True)
    sheet.append(head)
    return sheet


def _flat(row: Mapping[str, Any], columns: Sequence[str]) -> list[tuple[str, Any]]:
    slots, tags = row["slots"], " ".join(row["tags"])
    known = {**row, "tags": tags, **{f"{SLOT}{name}": value for name, value in slots.items()}}
    return [(name, known.get(name)) for name in columns]


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def inert(value: Any) -> Any:
    """``value``, with an apostrophe before what a spreadsheet would run; plain numbers stay."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or not _RUNS.match(value):
        return value
    return f"'{value}"


def _cell(value: Any) -> Any:
    """Control characters have no place in XML."""
    text = inert(value)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", "\ufffd", text) if isinstance(text, str) else text


async def write(export: Export, kind: str, path: Path) -> None:
    """The results as a file of ``kind`` (one of :data:`FORMATS`); whole or not at all."""
    part = path.with_name(path.name + ".part")
    if kind == "xlsx":
        await export.xlsx(part)
    else:
        with part.open("wb") as file:
            async for piece in export.csv() if kind == "csv" else export.json():
                file.write(piece)
    part.replace(path)

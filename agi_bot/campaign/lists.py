"""Lists of people to be called, row by row: CSV (UTF-8, UTF-16, GBK), JSON lines, XLSX.

Every value is text or what JSON says; a formula is the text of the formula.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agi_bot.errors import AgiBotError

_CHUNK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_TELEPHONE = re.compile(r"[+＋]?[\d(（][\d\s().（）-]{3,}\Z")
"""A name has letters: what has digits only is a row already."""


class BadList(AgiBotError):
    """A list cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list.

    ``line`` as an editor or a spreadsheet counts; ``values`` without those that are empty;
    ``columns`` also names these.  ``problem``: why it is none.
    """

    line: int
    values: Mapping[str, Any]
    columns: Collection[str] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """An opened list: ``note`` says what was noticed, e.g. the encoding."""

    rows: Iterator[Row]
    note: str = ""


def open_list(path: Path) -> Source:
    """The rows of ``path`` by its ending.  Raises :class:`BadList`."""
    kinds = {".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".xlsx": _xlsx}
    reader = kinds.get(path.suffix.lower())
    if reader is None:
        raise BadList(f"{path}: not a list that can be read", cure=f"one of {', '.join(kinds)}")
    try:
        return reader(path)
    except OSError as error:
        raise BadList(f"{path}: {error.strerror or error}") from error


def read_through(path: Path) -> Row | None:
    """The first row of a list that was read to its end, so that a broken one is refused before anything is kept.

    Raises :class:`BadList`.
    """
    rows = open_list(path).rows
    first = next(rows, None)
    for _ in rows:
        pass
    return first


def encoding_of(path: Path) -> tuple[str, str]:
    """The encoding of a text file and a word about it.  Raises :class:`BadList`."""
    with path.open("rb") as file:
        head = file.read(4)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, f"read as {name.removesuffix('-sig').upper()} by its byte order mark"
    if _decodes(path, "utf-8"):
        return "utf-8", ""
    if _decodes(path, "gb18030"):
        return "gb18030", "not UTF-8: read as GBK (GB 18030); look at the names once"
    raise BadList(f"{path}: neither UTF-8 nor GBK", cure="save it as UTF-8")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _csv(path: Path) -> Source:
    encoding, note = encoding_of(path)
    return Source(_csv_rows(path, encoding), note)


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            names = _header(path, next(reader, []))
            for cells in reader:
                if cells:
                    yield _row(reader.line_num, names, cells)
        except csv.Error as error:
            raise BadList(f"{path}:{reader.line_num}: {error}", cure="save it as CSV with commas") from error


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise BadList(f"{path}:1: the columns are not separated by commas", cure="save it as CSV with commas")
    if not any(names):
        raise BadList(f"{path}:1: the first line names no columns", cure="customer_id,number,call_time,...")
    if any(_TELEPHONE.match(name) for name in names):
        raise BadList(
            f"{path}:1: the first line names no columns, a number stands in it",
            cure="put a line above it with the names of the columns: number, and what else the rows hold",
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise BadList(f"{path}:1: the column '{twice[0]}' is there twice")
    return names


def _row(line: int, names: list[str], cells: list[str]) -> Row:
    if len(cells) != len(names):
        return Row(line, {}, names, f"{len(cells)} cells, the first line names {len(names)} columns")
    return Row(line, {name: cell for name, cell in zip(names, cells, strict=True) if name and cell != ""}, names)


def _jsonl(path: Path) -> Source:
    encoding, note = encoding_of(path)
    return Source(_jsonl_rows(path, encoding), note)


def _jsonl_rows(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding) as file:
        for line, text in enumerate(file, 1):
            if text.strip():
                yield _json_row(line, text)


def _json_row(line: int, text: str) -> Row:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Row(line, {}, problem=f"not JSON: {error}")
    if not isinstance(values, dict):
        return Row(line, {}, problem="not a JSON object")
    return Row(line, values, values)


def _xlsx(path: Path) -> Source:
    import openpyxl  # takes 0.3 s

    try:
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=False)
        sheet = book.worksheets[0]
    except OSError:
        raise
    except Exception as error:  # zipfile, XML and key errors: the file is broken
        raise BadList(
            f"{path}: not a readable .xlsx file ({error})", cure="save it again as .xlsx, or as CSV"
        ) from error
    note = f"read the sheet '{sheet.title}' of {len(book.worksheets)}" if len(book.worksheets) > 1 else ""
    return Source(_xlsx_rows(path, sheet), note)


def _xlsx_rows(path: Path, sheet: Any) -> Iterator[Row]:
    rows = _sound(path, sheet.iter_rows(values_only=True))
    names = _header(path, [str(cell or "") for cell in next(rows, ())])
    for line, cells in enumerate(rows, 2):
        texts = [_cell(cell) for cell in cells]
        if any(texts):
            yield _row(line, names, [*texts, *[""] * (len(names) - len(texts))])


def _sound(path: Path, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """``rows``, until one is broken: openpyxl then raises what its parts raise."""
    read = 0
    try:
        for cells in rows:
            yield cells
            read += 1
    except Exception as error:
        raise BadList(
            f"{path}:{read + 1}: the sheet is broken here ({error!r})", cure="save it again as .xlsx, or as CSV"
        ) from error


def _cell(value: Any) -> str:
    """A number without the .0 that a spreadsheet puts behind it, a time in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

"""Tables of spoken values, written before the grammars: 95 of 100 must be understood."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from agi_bot.contracts import Value
from agi_bot.nlu.entities import KINDS, finder
from agi_bot.nlu.normal import tidy

TABLES = sorted((Path(__file__).parents[2] / "data" / "entities").glob("*.tsv"))


def rows(table: Path) -> list[tuple[str, str]]:
    lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    return [(text, value) for text, value in lines]


def clock(table: Path) -> datetime:
    head = table.read_text(encoding="utf-8").split("\n")[0]
    return datetime.fromisoformat(head.split("\t")[1].split(" ")[0])


def written(value: Value) -> str:
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
    if isinstance(value, (datetime, time)):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else str(value)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_ninety_five_of_a_hundred(table: Path) -> None:
    kind, language = table.stem.split(".")
    find, now, phrases = finder(language), clock(table), rows(table)
    wrong = []
    for text, expected in phrases:
        found = find(tidy(text).text, kind, now)
        heard = written(found[-1].value) if found else ""
        if heard != expected:
            wrong.append(f"{text}: {heard or 'nothing'}, not {expected}")
    assert len(phrases) == 100
    assert len(wrong) <= 5, "\n".join(wrong)


def test_there_are_tables_in_both_languages() -> None:
    stems = {table.stem for table in TABLES}
    kinds = {stem.split(".")[0] for stem in stems}
    assert {f"{kind}.{language}" for kind in kinds for language in ("zh-CN", "en")} == stems
    assert kinds | {"digits"} == set(KINDS)

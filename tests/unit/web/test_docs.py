"""The documents name every request and every table; the SQL in them runs."""

from __future__ import annotations

import re
from pathlib import Path

from agi_bot.campaign.office import Office
from agi_bot.web.api import Options, open_application
from agi_bot.web.live import Live

DOCS = Path(__file__).parents[3] / "docs"


def test_every_path_is_told(office: Office) -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    paths = open_application(office, Live(), Options()).openapi()["paths"]
    assert [path for path in paths if path not in text] == []


def test_what_shows_a_fault_is_there() -> None:
    shown = re.findall(r"`(tests/[\w/.]+)`", (DOCS / "faults.md").read_text("utf-8"))
    assert len(shown) > 12
    assert [path for path in shown if not (DOCS.parent / path).is_file()] == []


async def test_every_table_is_told_and_the_queries_run(office: Office) -> None:
    text = (DOCS / "tables.md").read_text("utf-8")
    tables = await office.database.run(lambda db: db.table_names())
    assert [name for name in tables if f"`{name}`" not in text and not name.startswith("sqlite_")] == []
    queries = re.findall(r"```sql\n(.+?);\n```", text, re.DOTALL)
    assert len(queries) == 3
    for query in queries:
        await office.database.run(lambda db, query=query: db.execute(query).fetchall())  # type: ignore[misc]

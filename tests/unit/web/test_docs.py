"""The documents name every request and every table; the SQL in them runs."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agi_bot.campaign.office import Office
from agi_bot.campaign.store import Database
from agi_bot.flow.catalogue import Catalogue
from agi_bot.shipped import shipped
from agi_bot.web.api import Options, open_application
from agi_bot.web.keys import Role, create_key
from agi_bot.web.live import Live
from tests.unit.web.conftest import NOON

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


@pytest.fixture
async def hospital_and_shop(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with the flows that are shipped, as on the day of the examples."""
    database = Database(tmp_path / "docs.db")
    await database.open()
    flows = Catalogue(shipped("flows"))
    flows.refresh()
    yield Office(database, flows, clock=lambda: NOON)
    await database.close()


async def test_the_examples_work_when_they_are_pasted(hospital_and_shop: Office) -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    calls = re.findall(r"curl (-X \w+ )?[^']*?-d '([^']+)'[^']*?http://127\.0\.0\.1:8090(/[\w/-]+)", text)
    assert [path.split("/")[3] for _, _, path in calls] == ["customers", "call", "campaigns", "appointments"]
    key = await create_key(hospital_and_shop.access, "crm", Role.OPERATOR, NOON)
    transport = httpx.ASGITransport(open_application(hospital_and_shop, Live(), Options()))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bot", headers=headers) as client:
        for option, body, path in calls:
            answer = await client.request(option.removeprefix("-X ").strip() or "POST", path, json=json.loads(body))
            assert answer.status_code in (200, 201), (path, answer.text)
    appointments = await hospital_and_shop.tasks.counts("courses")
    assert sum(appointments.values()) > 10

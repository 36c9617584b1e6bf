"""The API over a real store, with the hospital's and the shop's scripts, asked without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import Defaults, Event, Office
from agi_bot.campaign.store import Database
from agi_bot.flow import Flow, load_text
from agi_bot.web.api import Options, application
from agi_bot.web.keys import Role, create_key
from agi_bot.web.live import Live

NOON = 1_795_492_800.0
"""2026-11-24 12:00 in Shanghai."""

FLOW = """\
flow: promotion_001
task: {name: {type: text, required: false}, amount: {type: money, required: false}}
start: hello
steps:
  hello: {say: 您好。, end: done}
"""


class Scripts:
    """One script."""

    def __init__(self) -> None:
        flow = load_text(FLOW, "promotion_001.yaml")
        assert isinstance(flow, Flow)
        self._flow = flow

    def get(self, name: str) -> Flow | None:
        return self._flow if name == "promotion_001" else None

    def names(self) -> list[str]:
        return ["promotion_001"]


class Api:
    """A client for each role; ``now`` is the clock."""

    def __init__(self, office: Office, keys: dict[Role, str], options: Options) -> None:
        self.office = office
        self.keys = keys
        self.options = options
        self.transport = httpx.ASGITransport(application(office, Live(calls=lambda: 2), options))

    async def ask(
        self, method: str, path: str, *, role: Role | None = Role.OPERATOR, key: str = "", **more: object
    ) -> httpx.Response:
        headers = dict(more.pop("headers", {}))  # type: ignore[call-overload]
        if role is not None:
            headers["Authorization"] = f"Bearer {key or self.keys[role]}"
        async with httpx.AsyncClient(transport=self.transport, base_url="http://bot") as client:
            return await client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = Database(tmp_path / "a.db")
    await database.open()
    defaults = Defaults(Campaign("", ""), {"payment_failed": Event("promotion_001", priority=5, delay_s=60)})
    yield Office(database, Scripts(), defaults, clock=lambda: NOON)
    await database.close()


@pytest.fixture
async def api(office: Office, tmp_path: Path) -> Api:
    keys = {role: await create_key(office.access, role.word, role, NOON) for role in Role}
    return Api(
        office, keys, Options(requests_per_minute=10_000, recordings=tmp_path / "recordings", steady=lambda: 1000.0)
    )

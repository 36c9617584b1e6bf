"""The API keeps what its OpenAPI description says, for requests that a machine thinks up (schemathesis, fixed seed)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)

from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import Defaults, Event, Office
from agi_bot.campaign.store import Database
from agi_bot.web.api import Options, application, open_application
from agi_bot.web.keys import Role, create_key
from agi_bot.web.live import Live
from agi_bot.web.server import serving
from tests.unit.web.conftest import NOON, Scripts

EXAMPLES = 20
PATIENT_S = 120.0
"""For machines that are slow at times."""


def refuses_what_is_wrong(ctx: Any, response: Any, case: Any) -> Any:
    """A list that is too long may be refused for its bytes before its items are counted."""
    return None if response.status_code == 413 else negative_data_rejection(ctx, response, case)


CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    refuses_what_is_wrong,
    use_after_free,
)


class Server:
    """The API on a real socket, in a thread with a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.url, self.keys = "", dict[Role, str]()
        self._folder = folder
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    async def _serve(self) -> None:
        database = Database(self._folder / "a.db")
        await database.open()
        defaults = Defaults(Campaign("", ""), {"payment_failed": Event("promotion_001")})
        office = Office(database, Scripts(), defaults, clock=lambda: NOON)
        self.keys = {role: await create_key(office.access, role.word, role, NOON) for role in Role}
        # The clock stands still: every request of the test is one of the same minute.
        options = Options(requests_per_minute=10_000_000, recordings=self._folder)
        async with serving(application(office, Live(), options), "127.0.0.1", 0) as self.url:
            self._ready.set()
            await asyncio.to_thread(self._stop.wait)
        await database.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("schema")) as found:
        yield found


def _description() -> dict[str, object]:
    office = Office(Database(":memory:"), Scripts())
    found: dict[str, object] = open_application(office, Live(), Options()).openapi()
    return found


schema = schemathesis.openapi.from_dict(_description())


@schema.parametrize()
@seed(20261121)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_as_it_is_described(case: schemathesis.Case, server: Server) -> None:
    head = {"Authorization": f"Bearer {server.keys[Role.ADMIN]}"}
    case.call_and_validate(base_url=server.url, headers=head, checks=CHECKS, timeout=PATIENT_S)


@schema.parametrize()
@settings(max_examples=1, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_operation_answers_without_a_key(case: schemathesis.Case, server: Server) -> None:
    answer = case.call(base_url=server.url, headers={"Authorization": "Bearer ab_000000000000_x"}, timeout=PATIENT_S)
    watched = case.path in ("/healthz", "/readyz", "/metrics")
    assert watched or answer.status_code >= 400

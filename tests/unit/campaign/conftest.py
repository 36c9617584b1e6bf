"""What tests of the dialer share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agi_bot.campaign.store import Database
from tests.unit.campaign.dialing import Office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = Database(tmp_path / "campaign.db")
    await database.open()
    yield Office(database)
    await database.close()

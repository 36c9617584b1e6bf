"""An AMI link to a manager that answers as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agi_bot.pbx.ami import Ami, AmiOptions
from tests.unit.pbx.manager import Manager


@pytest.fixture
async def manager() -> AsyncIterator[Manager]:
    made = Manager()
    await made.start()
    yield made
    made.server.close()
    made.cut()


@pytest.fixture
async def ami(manager: Manager) -> AsyncIterator[Ami]:
    link = Ami(AmiOptions(user="bot", secret="x", port=manager.port, action_timeout_s=2.0, ping_s=0.2))
    await link.connect()
    yield link
    await link.close()

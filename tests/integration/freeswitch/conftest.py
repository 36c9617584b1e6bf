"""A real FreeSWITCH for the integration tests, where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from agi_bot.demo.freeswitch import MODULES, OwnFreeSwitch, find_binary
from tests.contracts.freeswitch_world import DIALPLANS
from tests.integration.freeswitch.stage import Callers


@pytest.fixture(scope="session")
def freeswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnFreeSwitch]:
    """A running FreeSWITCH with the shipped dialplan and tests/data/freeswitch/*.xml."""
    binary = find_binary()
    if binary is None:
        pytest.skip("no FreeSWITCH: neither FREESWITCH nor the PATH names one")
    modules = (*MODULES, "mod_fifo")
    own = OwnFreeSwitch(binary, tmp_path_factory.mktemp("freeswitch"), dialplans=DIALPLANS, modules=modules)
    asyncio.run(own.start())
    yield own
    asyncio.run(own.stop())


@pytest.fixture
async def callers(freeswitch: OwnFreeSwitch) -> AsyncIterator[Callers]:
    """People who call the bot, and what became of them."""
    async with freeswitch.client() as client:
        callers = Callers(client)
        await callers.start()
        yield callers
        await callers.stop()

"""The worlds of the contract tests; the real ones are marked, so that they can be left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.freeswitch import MODULES, OwnFreeSwitch, find_binary
from agi_bot.demo.installation import Installation
from tests.contracts.freeswitch_wire import FreeSwitchWireWorld
from tests.contracts.freeswitch_world import DIALPLANS as FREESWITCH_DIALPLANS
from tests.contracts.freeswitch_world import FreeSwitchWorld
from tests.contracts.telephones import AsteriskWorld, FakeWorld, WireWorld, World

ROOT = Path(__file__).parents[2]
DIALPLANS = [*sorted((ROOT / "dialplans/asterisk").glob("agi-bot*.conf")), ROOT / "tests/data/asterisk/contract.conf"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def contract_asterisk(asterisk_installation: Installation) -> AsyncIterator[Asterisk]:
    """A running Asterisk with the shipped dialplans and contract.conf."""
    async with Asterisk(asterisk_installation, dialplans=DIALPLANS) as running:
        yield running


@pytest.fixture(scope="session")
def contract_freeswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnFreeSwitch]:
    """A running FreeSWITCH with the shipped dialplan and tests/data/freeswitch/*.xml."""
    binary = find_binary()
    if binary is None:
        pytest.skip("no FreeSWITCH: neither FREESWITCH nor the PATH names one")
    folder, modules = tmp_path_factory.mktemp("freeswitch"), (*MODULES, "mod_audio_fork", "mod_audio_stream")
    own = OwnFreeSwitch(binary, folder, dialplans=FREESWITCH_DIALPLANS, modules=modules)
    asyncio.run(own.start())
    yield own
    asyncio.run(own.stop())


REAL = pytest.param("asterisk", marks=(pytest.mark.asterisk, pytest.mark.wall_clock))
FREESWITCH = [
    pytest.param("freeswitch", marks=(pytest.mark.freeswitch, pytest.mark.wall_clock)),
    pytest.param("freeswitch-greenswitch", marks=(pytest.mark.freeswitch, pytest.mark.wall_clock)),
    pytest.param("freeswitch-audio_fork", marks=(pytest.mark.freeswitch, pytest.mark.wall_clock)),
    pytest.param("freeswitch-audio_stream", marks=(pytest.mark.freeswitch, pytest.mark.wall_clock)),
]


def _make(request: pytest.FixtureRequest) -> World:
    if request.param == "freeswitch-wire":
        return FreeSwitchWireWorld()
    if request.param.startswith("freeswitch"):
        return FreeSwitchWorld(request.getfixturevalue("contract_freeswitch"), options=_options(request.param))
    if request.param == "asterisk":
        return AsteriskWorld(request.getfixturevalue("contract_asterisk"))
    return FakeWorld() if request.param == "fake" else WireWorld()


def _options(name: str) -> dict[str, object]:
    way = name.partition("-")[2]
    if way == "greenswitch":
        pytest.importorskip("greenswitch")
        return {"backend": way}
    if way:
        pytest.importorskip("websockets")
        return {"media": way}
    return {}


@pytest.fixture(params=["fake", "wire", "freeswitch-wire", REAL, *FREESWITCH])
def any_world(request: pytest.FixtureRequest) -> World:
    return _make(request)


@pytest.fixture(params=["fake", REAL, *FREESWITCH])
def any_dialling_world(request: pytest.FixtureRequest) -> World:
    return _make(request)


@pytest.fixture
async def world(any_world: World) -> AsyncIterator[World]:
    """Every world in which calls can come to the bot."""
    await any_world.start()
    yield any_world
    await any_world.stop()


@pytest.fixture
async def dialling_world(any_dialling_world: World) -> AsyncIterator[World]:
    """Every world in which the bot can place calls."""
    await any_dialling_world.start()
    yield any_dialling_world
    await any_dialling_world.stop()

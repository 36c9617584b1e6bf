"""The exchange's link is cut, or the exchange dies, while a campaign is dialled: nobody is called twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agi_bot.demo.installation import Installation
from tests.e2e.town import LivingBot, Town, judge

pytestmark = pytest.mark.asterisk

TASKS = 12


class Cutter:
    """A cable to AMI that is cut as soon as it carries an Originate; ``times`` cables in a row are."""

    def __init__(self, port: int, times: int, *, delivers: bool) -> None:
        self.cuts = 0
        self._target = port
        self._times = times
        self._delivers = delivers

    async def __aenter__(self) -> Cutter:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._out(reader, back, writer), self._back(there, writer), return_exceptions=True)

    async def _out(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, ours: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            cut = self.cuts < self._times and b"Action: Originate" in data
            if not cut or self._delivers:
                back.write(data)
                await back.drain()
            if cut:
                self.cuts += 1
                ours.transport.abort()  # what Asterisk answers does not arrive
                await asyncio.sleep(0.1)
                break
        back.close()

    async def _back(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await there.read(65536):
            writer.write(data)
        writer.close()


@pytest.mark.parametrize("delivers", [True, False], ids=["after-it-arrived", "before-it-arrived"])
async def test_a_link_that_is_cut_between_originate_and_its_reply(
    asterisk_installation: Installation, tmp_path: Path, delivers: bool
) -> None:
    async with (
        Town(asterisk_installation, tmp_path, rings_s=(0.5, 3.0)) as town,
        Cutter(town.asterisk.layout.ami, 3, delivers=delivers) as cable,
    ):
        bot = LivingBot(tmp_path, town.asterisk, ami_port=cable.port)
        await bot.tell(town.asterisk)
        await bot.fill(TASKS, lines=3, per_second=5.0, ring_s=5.0)
        bot.start()
        try:
            await bot.until_over(120)
        finally:
            bot.end()
        states = judge(town, bot, TASKS)
    assert cable.cuts == 3
    if delivers:
        assert states == {"done": TASKS}, "every call was looked up by its own id, and had"
    else:
        assert states["orphaned"] == 3, "nobody knows whether they rang: not dialled again"
        assert town.calls == TASKS - 3


async def test_an_exchange_that_dies_in_a_campaign(asterisk_installation: Installation, tmp_path: Path) -> None:
    async with Town(asterisk_installation, tmp_path) as town:
        bot = LivingBot(tmp_path, town.asterisk)
        await bot.tell(town.asterisk)
        await bot.fill(TASKS, lines=2, per_second=5.0, ring_s=5.0)
        bot.start()
        try:
            await bot.ready()
            await town.rings(4, within_s=30)
            await town.kill_asterisk()
            await asyncio.sleep(3)
            waiting, rang = bot.states().get("waiting", 0), town.calls
            assert waiting, "the campaign was over too early for this test"
            await asyncio.sleep(2)
            assert (bot.states().get("waiting", 0), town.calls) == (waiting, rang), "it waits"
            assert "dialer.waits" in bot.log.read_text(encoding="utf-8")
            await town.asterisk.start()
            await bot.tell(town.asterisk)
            await bot.until_over(120)
        finally:
            bot.end()
        states = judge(town, bot, TASKS)
    assert "dialer.goes_on" in bot.log.read_text(encoding="utf-8")
    assert states["done"] >= TASKS - 4
    assert bot.rows("SELECT count(*) FROM attempts WHERE how = 'failed'") == [(0,)]

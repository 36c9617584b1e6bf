"""The exchange's link is cut, or the exchange dies, while a campaign is dialled: nobody is called twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from agi_bot.demo.installation import Installation
from tests.e2e.town import LivingBot, Town, judge

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

TASKS = 12
ORIGINATE = b"Action: Originate"
QUEUED = b"Originate successfully queued"
CUT_AFTER_S = 0.1


class Cutter:
    """A cable to AMI that is cut soon after it carries an Originate; ``times`` cables in a row are.

    What comes within ``CUT_AFTER_S`` of the first Originate shares its fate: all of it is
    delivered and nothing that Asterisk answers comes back, or none of it is.
    """

    def __init__(self, port: int, times: int, *, delivers: bool) -> None:
        self.cuts = 0
        self.swallowed = 0
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
        answers = asyncio.create_task(self._back(there, writer))
        try:
            await self._out(reader, there, back, writer, answers)
        finally:
            answers.cancel()
            back.close()
            writer.close()

    async def _out(
        self,
        reader: asyncio.StreamReader,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        ours: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(65536):
            if self.cuts < self._times and ORIGINATE in data:
                self.cuts += 1
                answers.cancel()
                await asyncio.wait({answers})
                data += await self._more(reader)
                if self._delivers:
                    back.write(data)
                    await self._taken(there, data.count(ORIGINATE))
                else:
                    self.swallowed += data.count(ORIGINATE)
                ours.transport.abort()
                return
            back.write(data)
            await back.drain()

    async def _taken(self, there: asyncio.StreamReader, count: int) -> None:
        """Wait until Asterisk has taken them, which nobody is told: what is unread when a cable is cut may be lost."""
        answers = b""
        async with asyncio.timeout(30):
            while answers.count(QUEUED) < count:
                answers += await there.read(65536)

    async def _more(self, reader: asyncio.StreamReader) -> bytes:
        got = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(CUT_AFTER_S):
                while data := await reader.read(65536):
                    got += data
        return got

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
        await bot.fill(2 * TASKS, lines=3, per_second=5.0, ring_s=5.0)
        bot.start()
        try:
            await bot.until_over(120)
        finally:
            bot.end()
        states = judge(town, bot, 2 * TASKS)
    assert cable.cuts == 3
    if delivers:
        assert states == {"done": 2 * TASKS}, "every call was looked up by its own id, and had"
    else:
        assert states["orphaned"] == cable.swallowed, "nobody knows whether they rang: not dialled again"
        assert town.calls == 2 * TASKS - cable.swallowed


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
            await bot.settled(town)
            assert bot.states().get("waiting", 0), "the campaign was over too early for this test, or it did not wait"
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

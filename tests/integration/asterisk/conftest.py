"""A caller's telephone, the events of the dialplan, and a bot inside the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from agi_bot.contracts import Call
from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.phone import Softphone
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.asterisk.pbx import AsteriskPbx
from tests.integration.asterisk.events import Events, ami_options, listening

Serve = Callable[[Call], Awaitable[None]]
StartBot = Callable[..., Awaitable[AsteriskPbx]]


@pytest.fixture
async def events(asterisk: Asterisk) -> AsyncIterator[Events]:
    """The user events of phones.conf; no call is left behind."""
    async with listening(asterisk) as collected:
        yield collected
        await asterisk.cli("channel request hangup all")


@pytest.fixture
async def phone() -> AsyncIterator[Softphone]:
    """A SIP telephone with the number 1000."""
    async with Softphone("1000") as softphone:
        yield softphone


@pytest.fixture
async def start_bot(asterisk: Asterisk) -> AsyncIterator[StartBot]:
    """``await start_bot(serve, **options)``: a bot that runs ``serve`` for each call."""
    running: list[AsteriskPbx] = []
    tasks: list[asyncio.Task[None]] = []

    async def start(serve: Serve, **options: object) -> AsteriskPbx:
        given = {"agi_port": 0, "audio_port": 0, "ami": ami_options(asterisk), "direct": True, **options}
        pbx = AsteriskPbx(AsteriskOptions(**given))  # type: ignore[arg-type]
        await pbx.start()
        running.append(pbx)
        await asterisk.set_global("AGI_BOT_PORT", str(pbx.agi.port))
        await asterisk.set_global("AGI_BOT_AUDIO_PORT", str(pbx.media.port))
        await asterisk.set_global("AGI_BOT_LOAN", "4")
        tasks.append(asyncio.create_task(_serve_all(pbx, serve)))
        return pbx

    yield start
    for pbx in running:
        await pbx.close()
    await asyncio.gather(*tasks)


async def _serve_all(pbx: AsteriskPbx, serve: Serve) -> None:
    async with asyncio.TaskGroup() as group:
        async for call in pbx.calls():
            group.create_task(serve(call))  # type: ignore[arg-type]

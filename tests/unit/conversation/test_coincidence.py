"""Two things at the same time: the end and a voice, an answer and the silence, a key and a word."""

from __future__ import annotations

import asyncio

import pytest

from agi_bot.contracts import Intent
from agi_bot.flow.events import (
    Action,
    Event,
    HookReturned,
    Listen,
    RunHook,
    Say,
    Span,
    Started,
    Transfer,
)
from tests.unit.conversation.stage import HookTable, Says, Stage, noise, quiet


@pytest.mark.parametrize("hook_ms", range(600, 1600, 90))
def test_who_speaks_when_the_dialogue_ends_hears_the_last_words_and_is_transferred(hook_ms: int) -> None:
    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, (Span("请稍等我帮您查一下好吗谢谢"),)), RunHook(1, "look"), Listen("q")]
            case HookReturned():
                return [Say(2, (Span("我帮您转人工"),)), Transfer("nurses")]
        return []

    async def caller(stage: Stage) -> None:
        await asyncio.sleep(0.6)
        await stage.speak(noise(900), quiet(20_000))

    meanings = {"我想问一下": Intent("ask", 0.9, engine="table")}
    stage = Stage(react, [Says("我想问一下")], meanings, hooks=HookTable({"look": (hook_ms / 1000, {})}))
    record = stage.play(caller)
    assert stage.call.transferred_to == "nurses"
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 20

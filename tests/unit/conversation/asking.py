"""One question, one answer, goodbye: the smallest scripted dialogue, and the words for it."""

from __future__ import annotations

import asyncio

from agi_bot.contracts import Intent
from agi_bot.flow.events import Action, End, Event, Heard, Listen, Say, Silent, Span, Started

YES = {"是的": Intent("affirm", 0.95, engine="table")}
QUESTION = Say(1, (Span("您能来吗"),))
LISTEN = Listen("ask", expected=("affirm",), silence_ms=3000)


def asks_once(event: Event) -> list[Action]:
    """Asks one question and says goodbye to whatever is answered."""
    match event:
        case Started():
            return [QUESTION, LISTEN]
        case Heard(intent=intent):
            return [Say(2, (Span("再见"),)), End(intent.name or "unclear")]
        case Silent():
            return [End("silence")]
        case _:
            return []


async def after(seconds: float) -> None:
    await asyncio.sleep(seconds)

"""What flows need, ready before a call comes: at the start, and when flows change while the bot runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator

from agi_bot.app.voices import AnyVoice
from agi_bot.app.workshop import Workshop
from agi_bot.errors import NluError, SpeechError
from agi_bot.flow import Flow
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.sayings import sayings
from agi_bot.flow.tongue import Tongue

log = logging.getLogger(__name__)

REFRESH_S = 2.0
"""How often the flows folder is looked at."""


async def warm_up(workshop: Workshop, flows: Collection[Flow]) -> None:
    """Have the interpreter of every flow ready."""
    for flow in flows:
        try:
            await workshop.understanding.of(flow)
        except NluError as error:
            log.error("nlu.refused", extra={"flow": flow.name, "reason": str(error)})


async def start_voices(workshop: Workshop, flows: Collection[Flow]) -> None:
    """Have the engine of every voice of ``flows`` running: one may need longer than a caller waits for a word."""
    voices = {id(voice): voice for flow in flows for voice in _voices(workshop, flow)}
    await asyncio.gather(*(_started(voice) for voice in voices.values()))


def all_of(flows: Catalogue) -> list[Flow]:
    """The flows that hold now."""
    return [flow for name in flows.names() if (flow := flows.get(name)) is not None]


async def keep_fresh(workshop: Workshop, flows: Catalogue) -> None:
    """Take up flows that change, until cancelled.  Whatever goes wrong with them, the service goes on."""
    trouble = ""
    while True:
        await asyncio.sleep(REFRESH_S)
        try:
            await refresh(workshop, flows)
            trouble = ""
        except Exception as error:
            if repr(error) != trouble:
                trouble = repr(error)
                log.exception("flows.not_refreshed")


async def refresh(workshop: Workshop, flows: Catalogue) -> None:
    """Look at the flows once; what a new or changed one needs is made ready."""
    changes = await asyncio.to_thread(flows.refresh)
    taken = {change.flow for change in changes if not change.problems}
    changed = [flow for flow in all_of(flows) if flow.name in taken]
    await warm_up(workshop, changed)
    await start_voices(workshop, changed)


def _voices(workshop: Workshop, flow: Flow) -> Iterator[AnyVoice]:
    """Those of its steps and sub-flows, in its language and its dialects."""
    dialects = [tag for tag, name in flow.script.languages.items() if name == flow.name]
    for tag in dict.fromkeys((flow.language, *dialects)):
        spoken = flow.in_tongue(Tongue(tag))
        for name in {saying.voice for saying in sayings(spoken)}:
            try:
                yield workshop.voice(spoken)(name, spoken.spoken)
            except SpeechError as error:
                log.error("voice.missing", extra={"voice": name, "language": tag, "reason": str(error)})


async def _started(voice: AnyVoice) -> None:
    try:
        await voice.start()
    except SpeechError as error:
        log.error("voice.not_started", extra={"voice": voice.name, "reason": str(error)})

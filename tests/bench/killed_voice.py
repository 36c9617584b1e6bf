"""A voice's process is killed in mid-sentence, while callers listen on a real Asterisk.

Two callers hear the same long text at once, each in a call of its own; when both have heard
the beginning of it, the process that speaks for the first of them is killed with -9.  What a caller
hears is taken from the recording of the caller's own telephone.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from agi_bot.app.exchange import exchange
from agi_bot.app.running import Running, running
from agi_bot.app.voices import VoiceBox
from agi_bot.config import Settings
from agi_bot.demo import measure
from agi_bot.demo.installation import Installation
from agi_bot.demo.phone.patient import bot_speaks
from agi_bot.demo.phone.softphone import PhoneCall
from agi_bot.demo.theatre import NUMBER, AsteriskTheatre
from agi_bot.record import CallRecord
from agi_bot.shipped import shipped
from agi_bot.speech.fallback import FallbackVoice
from agi_bot.speech.worker.pool import WorkerPool

VOICE = "tried"
FLOW = f"""\
flow: reading
language: zh-CN
voice: {VOICE}
task: {{text: {{type: text, required: true}}}}
start: read
steps:
  read: {{say: "{{text}}本次通话会被录音。", protect: 本次通话会被录音, barge_in: false, end: done}}
silence: [{{end: no_response}}]
anywhere:
  stop_calling: {{say: 好的，再见。, mark: do_not_call, end: refused}}
"""
SENTENCE = (
    "第{}位，您好，这里是市第一人民医院的预约中心，提醒您明天上午九点半复诊，请您空腹前来，"
    "并带好您的医保卡和以前的检查报告，谢谢您的配合。"
)
WHO = ("own", "other")


@dataclass(frozen=True, slots=True)
class Listened:
    """What one caller heard: the longest silence between two sounds and the length of all, ms."""

    outcome: str
    gap_ms: int
    speech_ms: int


@dataclass(frozen=True, slots=True)
class Misfortune:
    """``own`` had its process killed, ``other`` listened at the same time; ``fallbacks`` counts takings-over."""

    own: Listened
    other: Listened
    fallbacks: int
    restarts: int


async def misfortune(
    installation: Installation,
    folder: Path,
    entry: Mapping[str, object],
    *,
    workers: int,
    heard_ms: int = 1000,
    kill: bool = True,
) -> Misfortune:
    """Two calls in the voice of ``entry`` (as in voices.yml); the kill comes when both have heard ``heard_ms``."""
    theatre = AsteriskTheatre(installation)
    try:
        settings = _settings(folder, dict(await theatre.open()), entry, workers)
        pbx = exchange(settings)
        async with running(settings, pbx) as parts:
            await pbx.start()
            await theatre.connect(pbx)
            pool, voice = await _voice(parts.workshop.voices, workers)
            first = pool.pids[0]
            calls = [await _called(theatre, parts, folder / f"{name}.wav", n) for n, name in enumerate(WHO, 1)]
            await asyncio.gather(*(bot_speaks(call.phone, heard_ms) for call in calls))
            if kill:
                os.kill(first, signal.SIGKILL)
            own, other = [await call.over() for call in calls]
            return Misfortune(own, other, voice.failures, pool.restarts)
    finally:
        await theatre.close()


@dataclass(frozen=True, slots=True)
class _Call:
    phone: PhoneCall
    bot: asyncio.Task[tuple[Any, CallRecord | None]]
    tape: Path

    async def over(self) -> Listened:
        """Wait for its end and listen to the tape."""
        await self.phone.ended.wait()
        _, record = await self.bot
        self.phone.save(self.tape)
        samples, rate = measure.read(self.tape)
        spans = measure.speech(samples[:, 1], rate, join_ms=20)
        gaps = [after.start_ms - before.end_ms for before, after in pairwise(spans)]
        speech_ms = sum(span.end_ms - span.start_ms for span in spans)
        return Listened(record.outcome if record else "", max(gaps, default=0), speech_ms)


async def _called(theatre: AsteriskTheatre, parts: Running, tape: Path, number: int) -> _Call:
    bot = asyncio.create_task(parts.bot.call(NUMBER, "reading", {"text": SENTENCE.format(number)}))
    phone = await theatre.phone.incoming()
    await phone.answer()
    return _Call(phone, bot, tape)


async def _voice(box: VoiceBox, workers: int) -> tuple[WorkerPool, FallbackVoice]:
    """The pool, all of its workers up, and the voice that falls back on the embedded one."""
    voice = box.find(VOICE, "zh-CN")
    assert isinstance(voice, FallbackVoice)
    await voice.start()
    pool = box._catalogue.get(VOICE, "zh-CN")._pool
    await asyncio.gather(*(slot.up.wait() for slot in pool._slots))
    return pool, voice


def _settings(folder: Path, exchange_settings: dict[str, Any], entry: Mapping[str, object], workers: int) -> Settings:
    flows = folder / "flows" / "bench"
    shutil.copytree(shipped("flows", "shared"), flows.parent / "shared")
    flows.mkdir()
    (flows / "reading.yaml").write_text(FLOW, encoding="utf-8")
    line = {"name": VOICE, "language": "zh-CN", **{key: str(value) for key, value in entry.items()}}
    (folder / "voices.yml").write_text(json.dumps([line]), encoding="utf-8")
    return Settings.model_validate(
        {
            **exchange_settings,
            "flows": {"folder": folder / "flows", "published": folder / "published"},
            "store": {"database": folder / "bot.db", "recordings": folder / "recordings", "format": "wav"},
            "speaking": {"cache": folder / "prompts", "voices": folder / "voices.yml", "workers": workers},
        }
    )

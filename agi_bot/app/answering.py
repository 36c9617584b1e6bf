"""What a call out needs to know of machines and announcements: the plan for its answer, and early media."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import soundfile as sf

from agi_bot.audio import Frame, Resampler, split
from agi_bot.config import Settings
from agi_bot.contracts import Disposition, Status, Value
from agi_bot.conversation import Engines, Plan
from agi_bot.conversation.ear import Ear
from agi_bot.errors import AgiBotError
from agi_bot.flow import Flow
from agi_bot.flow.aside import aside, fault_in_aside
from agi_bot.flow.events import Span
from agi_bot.speech.answering import Answerer, AnswerRules, Verdict, of_words
from agi_bot.speech.signals import Signal

log = logging.getLogger(__name__)

LONGEST_S = 90
"""What is played later than so long after the call was placed is not listened to."""

PAUSE_MS = 600
"""An announcement is cut into utterances at silences of this length."""

WRITTEN_S = 2.0
"""How long the exchange may take to finish the file after the attempt's end, s."""

LEFT_S = 600.0
"""A file that nobody has written to for so long is of no call that rings, s."""

_LOOK_S = 0.1
_KNOWN = (Status.ANSWERED, Status.CANCELLED, Status.UNKNOWN)
"""Ends that no announcement corrects."""


def answer_rules(settings: Settings) -> AnswerRules:
    """What is done where nobody says otherwise when no person answers."""
    wanted = settings.campaigns
    return AnswerRules(
        on_machine=wanted.answering_machine,
        message=wanted.message,
        introduction=wanted.introduction,
        by_timing=wanted.machine_by_timing,
        early_media=wanted.listen_to_early_media,
    )


def plan(rules: AnswerRules, flow: Flow, task: Mapping[str, Value], now: datetime) -> Plan:
    """``rules`` for one call; a text that this flow cannot say is left out."""
    message, introduction = (_said(flow, text, task, now) for text in (rules.message, rules.introduction))
    leave_nothing = rules.on_machine == "leave_message" and not message
    return Plan("hang_up" if leave_nothing else rules.on_machine, message, introduction, rules.by_timing)


def _said(flow: Flow, text: str, task: Mapping[str, Value], now: datetime) -> tuple[Span, ...]:
    if text and (fault := fault_in_aside(flow, text)):
        log.warning("call.cannot_be_said", extra={"flow": flow.name, "reason": fault})
        return ()
    return aside(flow, text, task, now) if text else ()


class EarlyMedia:
    """Files in ``folder`` (none: nothing is listened to), one for each call that is placed."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def file(self, call_id: str, rules: AnswerRules) -> Path | None:
        """Where the exchange shall keep what it hears before the answer of ``call_id``; ``None``: nowhere."""
        if self._folder is None or not rules.early_media:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.error("early_media.no_folder", extra={"folder": str(self._folder), "reason": str(error)})
            return None
        return self._folder.resolve() / f"{call_id}.wav"

    def sweep(self) -> None:
        """Delete what a bot that was killed has left; not what another one's calls may be using now."""
        if self._folder is None or not self._folder.is_dir():
            return
        for file in self._folder.glob("*.wav"):
            with suppress(OSError, ValueError):
                UUID(file.stem)  # the name of a call of ours
                if time.time() - file.stat().st_mtime > LEFT_S:
                    discard(file)

    async def corrected(self, ended: Disposition, file: Path, engines: Engines, language: str) -> Disposition:
        """``ended``, or what the announcement in ``file`` says it is; the file is deleted."""
        try:
            if ended.status in _KNOWN or not await _written(file):
                return ended
            ear = Ear(await engines.recognizer.open(language=language), engines.activity.stream())
            verdict = await heard(file, ear)
        except (AgiBotError, OSError, RuntimeError) as error:
            log.warning("early_media.not_heard", extra={"file": file.name, "reason": str(error)})
            return ended
        finally:
            await asyncio.to_thread(discard, file)
        if not verdict.certain:
            return ended
        log.info("early_media.heard", extra={"call_id": file.stem, "why": verdict.why})
        detail = f"{ended.detail}; announced: {verdict.why}".lstrip("; ")
        return replace(ended, status=verdict.status or ended.status, detail=detail, announced=verdict.why)


def discard(file: Path) -> None:
    """Delete ``file``, if it is there and ours to delete."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("early_media.not_deleted", extra={"file": str(file), "reason": str(error)})


async def _written(file: Path) -> bool:
    """Whether there is something in ``file``; waits until it grows no more."""
    size, since = -1, 0.0
    while since < WRITTEN_S:
        now = file.stat().st_size if file.exists() else 0
        if now and now == size:
            return True
        size, since = now, since + _LOOK_S
        await asyncio.sleep(_LOOK_S)
    return size > 0


async def heard(file: Path, ear: Ear) -> Verdict:
    """What the network said or sounded in ``file``; the ear is closed.  Words tell more than tones."""
    said, tone = "", Verdict(Answerer.UNKNOWN)
    try:
        for frame in await asyncio.to_thread(lambda: list(_frames(file))):
            sound = await ear.hear(frame)
            if Signal.BUSY in sound.signals:
                tone = Verdict(Answerer.NETWORK, "tone: busy", Status.BUSY)
            if sound.partial and not sound.segment.speech and sound.now_ms - sound.segment.to_ms >= PAUSE_MS:
                said = f"{said} {(await ear.finish()).text}"
        said = f"{said} {(await ear.finish()).text}"
    finally:
        await ear.close()
    found = of_words(said, early=True)
    return found if found.certain else tone


def _frames(file: Path) -> Iterator[Frame]:
    with sf.SoundFile(file) as sound:
        samples = sound.read(LONGEST_S * sound.samplerate, dtype="int16", always_2d=True)
        whole = Frame(np.ascontiguousarray(samples[:, 0]).astype("<i2").tobytes(), sound.samplerate)
    yield from split(Resampler(whole.rate, 8000).push(whole) if whole.rate != 8000 else whole)

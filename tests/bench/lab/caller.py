"""One call of the laboratory: what the caller does, and when exactly it was done."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE, Samples
from agi_bot.demo.phone.line import Heard
from agi_bot.demo.phone.patient import bot_ended, bot_speaks
from agi_bot.demo.phone.softphone import PhoneCall
from agi_bot.demo.phone.tape import stereo
from tests.bench.lab.background import Behind, Condition
from tests.bench.lab.material import Utterance

BOT_PAUSE_MS = 700
JITTER_PACKETS = 25
"""Packets to each side among which the quickest gives the delay."""
SETTLE_S = 1.2


@dataclass(frozen=True)
class Answer:
    """Speak when the bot has ended, after ``wait_ms``."""

    utterance: Utterance
    wait_ms: int


@dataclass(frozen=True)
class Over:
    """Speak while the bot speaks, ``after_ms`` into its prompt."""

    utterance: Utterance
    after_ms: int


@dataclass(frozen=True)
class Let:
    """Let the bot speak a prompt to its end."""


Deed = Answer | Over | Let


@dataclass(frozen=True)
class Done:
    """A deed and when it was done, ms of the tape."""

    deed: Deed
    from_ms: float
    to_ms: float


@dataclass
class Tape:
    """A call as the caller's telephone recorded it: 8 kHz, what was said left, what was heard right."""

    condition: Condition
    flow: str
    deeds: list[Done] = field(default_factory=list)
    said: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    heard: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    broken: str = ""
    since: float = 0.0


class Phone(Protocol):
    """A telephone that calls the bot: the softphone, or one without an exchange."""

    async def call(self, called: str, port: int) -> Any:
        """A call with ``line``, ``ended`` and ``hang_up``."""


async def call(phone: Phone, port: int, flow: str, deeds: Sequence[Deed], condition: Condition, seed: int) -> Tape:
    """Place the call, do ``deeds`` one after another, hang up."""
    tape = Tape(condition, flow)
    connection = await phone.call(flow, port)
    connection.line.background = Behind(condition, connection.line, seed)
    done: list[tuple[Deed, float, float]] = []
    acting = asyncio.create_task(_act(connection, deeds, done))
    over = asyncio.create_task(connection.ended.wait())
    await asyncio.wait({acting, over}, return_when=asyncio.FIRST_COMPLETED, timeout=60 + 20 * len(deeds))
    if not acting.done():
        tape.broken = "the bot hung up" if over.done() else "the call took too long"
        acting.cancel()
    await asyncio.sleep(SETTLE_S)
    await connection.hang_up()
    over.cancel()
    samples, since = stereo(connection.line.sent, connection.line.received)
    tape.said, tape.heard = samples[:, 0], as_heard(connection.line.heard, since, len(samples))
    tape.since = since
    tape.deeds = [Done(deed, (began - since) * 1000, (ended - since) * 1000) for deed, began, ended in done]
    return tape


def as_heard(packets: Sequence[Heard], since: float, length: int) -> Samples:
    """What the ear heard, ``length`` samples from ``since`` (s): packets at the delay of the quickest within a second.

    That is what a telephone's jitter buffer makes of them.  A sender that stalls shifts all
    that follows, so the delay of the whole call's quickest packet would be too short.
    """
    track = np.zeros(length, dtype=np.int16)
    if not packets:
        return track
    numbers = np.unwrap([packet.sequence for packet in packets], period=1 << 16)
    stamps = numbers * FRAME_MS / 1000
    late = np.array([packet.at for packet in packets]) - stamps
    padded = np.pad(late, JITTER_PACKETS, mode="edge")
    quickest = np.lib.stride_tricks.sliding_window_view(padded, 2 * JITTER_PACKETS + 1).min(axis=1)
    for packet, at in zip(packets, quickest + stamps, strict=True):
        start = round((at - since) * LINE_RATE)
        if 0 <= start < length:
            piece = packet.samples[: length - start]
            track[start : start + len(piece)] = piece
    return track


async def _act(connection: PhoneCall, deeds: Sequence[Deed], done: list[tuple[Deed, float, float]]) -> None:
    loop = asyncio.get_running_loop()
    for deed in deeds:
        match deed:
            case Answer(utterance, wait_ms):
                await _bot_ended(connection)
                await asyncio.sleep(wait_ms / 1000)
                began, _ = await connection.line.play(utterance.frame)
                done.append((deed, began, began + utterance.ms / 1000))
            case Over(utterance, after_ms):
                await bot_speaks(connection, after_ms)
                began, _ = await connection.line.play(utterance.frame)
                done.append((deed, began, began + utterance.ms / 1000))
                await asyncio.sleep(0.4)
            case Let():
                await bot_speaks(connection, 100)
                began = loop.time()
                await _bot_ended(connection)
                done.append((deed, began, loop.time()))


async def _bot_ended(connection: PhoneCall) -> None:
    """A bot that says nothing for six seconds is not waited for: the turn counts as missed."""
    try:
        await asyncio.wait_for(bot_ended(connection, BOT_PAUSE_MS), 20)
    except TimeoutError:
        return


def answers(material: dict[str, list[Utterance]], count: int, rng: random.Random) -> list[Deed]:
    """``count`` answers to the questions of flow lab_answers, which take turns."""
    kinds = ("yes_no", "when")
    return [Answer(rng.choice(material[kinds[turn % 2]]), rng.randint(150, 600)) for turn in range(count)]


def interruptions(material: dict[str, list[Utterance]], count: int, rng: random.Random) -> list[Deed]:
    """Events over the long prompt of flow lab_long; what must not stop it is followed by an answer."""
    deeds: list[Deed] = []
    for turn in range(count):
        kind = ("interrupt", "backchannel", "interrupt", "cough", "interrupt", "noise")[turn % 6]
        deeds.append(Over(rng.choice(material[kind]), rng.randint(2500, 6000)))
        if kind != "interrupt":
            deeds.append(Answer(rng.choice(material["answer"]), 300))
    return deeds

"""What a tape says about the bot.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agi_bot.audio import LINE_RATE, Samples
from tests.bench.lab.caller import Answer, Done, Over, Tape

BLOCK_MS = 10
LOUD = 32768 * 10 ** (-45 / 20)
REPLY_MS = 4000
"""A reply that comes later was missed."""

STOP_MS = 420
"""Silence of the bot that is longer than any pause within its prompts."""

FALSE_STOP_MS = 2500
"""How long after a backchannel or a cough a stop is put down to it."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Turn:
    """One answer of the caller.  ``reply_ms`` is None when no reply came."""

    condition: str
    kind: str
    text: str
    reply_ms: float | None
    early: bool


@dataclass(frozen=True)
class Event:
    """One sound over the bot's prompt.

    ``stop_ms``: from its first sound until the bot was silent (None: it went on).
    ``resumed``: after a stop the bot spoke again within 2.5 s.  ``silence_ms``: the bot's
    longest silence that began in that time, the pauses of its own prompt among them.
    """

    condition: str
    kind: str
    text: str
    stop_ms: float | None
    resumed: bool
    silence_ms: float


def active(heard: Samples) -> Flags:
    """For each 10 ms whether the bot is heard."""
    size = LINE_RATE * BLOCK_MS // 1000
    blocks = heard[: len(heard) // size * size].reshape(-1, size).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(blocks**2, axis=1)) > LOUD)


def turns(tape: Tape) -> list[Turn]:
    """The verdict on every answer."""
    bot = active(tape.heard)
    return [_turn(tape, done, bot) for done in tape.deeds if isinstance(done.deed, Answer) and _silent(done, bot)]


def events(tape: Tape) -> list[Event]:
    """The verdict on every sound over a prompt."""
    bot = active(tape.heard)
    return [_event(tape, done, bot) for done in tape.deeds if isinstance(done.deed, Over) and _speaking(done, bot)]


def _turn(tape: Tape, done: Done, bot: Flags) -> Turn:
    assert isinstance(done.deed, Answer)
    first, last = _block(done.from_ms), _block(done.to_ms)
    # The bot was silent before; any sound of it before the caller's last one cuts the caller off.
    early = int(np.count_nonzero(bot[first + 5 : last])) >= 4
    begin = _first(bot, last, last + REPLY_MS // BLOCK_MS)
    reply = begin * BLOCK_MS - done.to_ms if begin is not None and not early else None
    utterance = done.deed.utterance
    return Turn(tape.condition.name, utterance.kind, utterance.text, reply, early)


def _silent(done: Done, bot: Flags) -> bool:
    """The bot had ended when the caller answered: a tape with a hole of the network is no witness."""
    first = _block(done.from_ms)
    return not bot[max(0, first - 50) : first].any()


def _speaking(done: Done, bot: Flags) -> bool:
    """The bot was heard when the sound began: nobody is interrupted in a pause."""
    first = _block(done.from_ms)
    return bool(bot[max(0, first - 10) : first + 1].any())


def _event(tape: Tape, done: Done, bot: Flags) -> Event:
    assert isinstance(done.deed, Over)
    first = _block(done.from_ms)
    until = first + max(FALSE_STOP_MS, done.to_ms - done.from_ms) / BLOCK_MS
    stop = _gap(bot, first, int(until))
    resumed = stop is not None and _first(bot, stop + 1, stop + 250) is not None
    utterance = done.deed.utterance
    stop_ms = stop * BLOCK_MS - done.from_ms if stop is not None else None
    silence_ms = float(_longest_silence(bot, first, int(until)) * BLOCK_MS)
    return Event(tape.condition.name, utterance.kind, utterance.text, stop_ms, resumed, silence_ms)


def _block(ms: float) -> int:
    return max(0, int(ms // BLOCK_MS))


def _first(bot: Flags, start: int, end: int) -> int | None:
    """First of three blocks in a row with sound."""
    for index in range(start, min(end, len(bot) - 2)):
        if bot[index : index + 3].all():
            return index
    return None


def _gap(bot: Flags, start: int, end: int) -> int | None:
    """Where the first silence of :data:`STOP_MS` begins."""
    need = STOP_MS // BLOCK_MS
    for index in range(start, min(end, len(bot))):
        if not bot[index : index + need].any():
            return index
    return None


def _longest_silence(bot: Flags, start: int, end: int) -> int:
    """Blocks of the longest silence that begins in [start, end), counted for 2.5 s at most."""
    longest = run = 0
    for index in range(start, min(end + 250, len(bot))):
        run = 0 if bot[index] else run + 1
        if index - run < end:
            longest = max(longest, run)
    return min(longest, 250)

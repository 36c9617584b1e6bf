"""Every promise between the rooms of the house, on one page.

A :class:`Pbx` brings :class:`Call`\\ s.  A conversation feeds the caller's sound to a
:class:`Recognizer`, the words to an :class:`Interpreter`, and speaks with a
:class:`Voice`.  A cache, a fallback or a resampler is a wrapper that keeps the same
promise.  ``tests/contracts`` holds one suite for each promise; fakes and real
implementations run the same one.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from agi_bot.audio import Frame

Value = str | int | float | bool | Decimal | date | time | datetime
"""What a slot or a task field can hold."""


# --- the telephone ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Digit:
    """A DTMF key that the caller pressed: one of ``0-9 * # A-D``."""

    key: str


class Status(StrEnum):
    """What became of an attempt to reach somebody."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID_NUMBER = "invalid_number"
    CONGESTION = "congestion"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The command may or may not have reached the PBX: never redial by yourself."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """How an outbound attempt ended or that it was answered.

    ``cause`` is the ITU-T Q.850 cause (0: none known), ``sip`` the SIP status (0: none).
    ``announced`` is what the network was heard to say or sound before it (empty: nothing known).
    """

    status: Status
    cause: int = 0
    sip: int = 0
    detail: str = ""
    announced: str = ""

    @property
    def answered(self) -> bool:
        return self.status is Status.ANSWERED


@runtime_checkable
class Call(Protocol):
    """One live call, already answered, with sound both ways.

    The bot's part ends with exactly one of :meth:`release`, :meth:`transfer`,
    :meth:`hang_up`, or with the caller's hang-up; all of them are idempotent.
    """

    @property
    def id(self) -> str:
        """Our own id of the call (a UUID in text form)."""

    @property
    def caller(self) -> str:
        """Number of the person at the other end; empty when withheld."""

    @property
    def called(self) -> str:
        """Number or extension that was dialled; may be empty."""

    @property
    def channel(self) -> str:
        """The PBX's own name of the channel, as its log shows it; may be empty."""

    @property
    def unique_id(self) -> str:
        """The PBX's own unique id of the channel, as its log shows it; may be empty."""

    @property
    def rate(self) -> int:
        """Sampling rate of the call's sound, Hz, in both directions."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Channel variables and arguments that came with the call (``flow``, ...)."""

    def frames(self) -> AsyncIterator[Frame | Digit]:
        """The caller's sound and keys in order, until the caller hangs up or the bot's part ends.

        Where a live line brings no sound (silence suppression, mute, hold) silence is heard in its place.
        """

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        """Send ``frames`` (at :attr:`rate`) at the line's own pace; returns when the last has gone out.

        Cancelling it makes the line silent at once.  When nothing plays, the call itself
        keeps the line alive.  Raises :class:`~agi_bot.errors.CallGone` after the end.
        """

    @property
    def unheard_ms(self) -> int:
        """How much of what :meth:`play` has taken the caller has not heard yet, ms; 0 when nothing plays.

        Cancelling :meth:`play` loses that much: who goes on later must go back as far.
        """

    @property
    def due_ms(self) -> int | None:
        """Where in the line's own time the next frame that :meth:`play` takes will lie; None where nobody knows.

        Frames that are heard bear the same time (:attr:`~agi_bot.audio.Frame.at_ms`), so that an echo is found.
        """

    @property
    def lost(self) -> str:
        """Why :meth:`frames` ended where neither the caller nor the bot ended the call; else empty."""

    async def set_result(self, variables: Mapping[str, str]) -> None:
        """Leave ``variables`` (``BOT_OUTCOME``, ...) for the dialplan; used at the end of the bot's part."""

    async def release(self) -> None:
        """Give the call back to the dialplan, which goes on after the bot's line."""

    async def transfer(self, to: str) -> None:
        """Send the caller to extension or queue ``to`` of the dialplan."""

    async def hang_up(self) -> None:
        """End the call."""


EARLY_MEDIA = "BOT_EARLY_MEDIA"
"""Variable of :meth:`Pbx.originate`: the WAV file (a path without spaces, for the exchange and for us) in
which the exchange keeps what it hears before the answer."""


class Ringing(Protocol):
    """An outbound attempt on its way."""

    @property
    def call_id(self) -> str:
        """The id under which the answered leg will arrive from :meth:`Pbx.calls`."""

    async def outcome(self) -> Disposition:
        """Wait for the answer or the failure; may be awaited several times."""

    async def cancel(self) -> None:
        """Stop ringing; does nothing after the answer."""


class Pbx(Protocol):
    """A telephone exchange that brings calls and can place them."""

    @property
    def name(self) -> str:
        """``asterisk``, ``freeswitch`` or ``builtin``."""

    @property
    def version(self) -> str:
        """The exchange's own version string; empty while unknown."""

    @property
    def obstacle(self) -> str:
        """Why no call can be placed now, e.g. that the link is lost; empty when one can."""

    async def start(self) -> None:
        """Listen and log in.  Raises :class:`~agi_bot.errors.PbxDown`."""

    async def stop(self) -> None:
        """Stop taking calls; calls that are running go on until :meth:`close`."""

    async def close(self) -> None:
        """Give every running call back to its dialplan and close all sockets."""

    def calls(self) -> AsyncIterator[Call]:
        """Answered calls as they come, until :meth:`stop`."""

    async def originate(
        self,
        number: str,
        *,
        call_id: str,
        caller_id: str = "",
        ring_timeout_s: float = 30.0,
        variables: Mapping[str, str] | None = None,
    ) -> Ringing:
        """Place a call to ``number``; it is sent at most once, whatever happens to the link.

        The variable :data:`EARLY_MEDIA` asks for a recording of what is heard before the answer.

        Raises :class:`ValueError` for a number, caller id or variable with control
        characters, :class:`~agi_bot.errors.PbxDown` when it surely was not sent.
        """


# --- hearing ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word; times in ms from the start of the call's sound."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recognizer heard.  ``text`` is empty for silence and for rejected noise.

    ``confidence`` is in 0..1; ``words`` may be empty for a partial.
    """

    text: str
    final: bool = False
    confidence: float = 1.0
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller is likely to say now: bias, not a fence.

    ``phrases`` are written as in training data (no punctuation).  ``closed``: hardly anything else
    answers the question, so that what was heard unsurely may be held against them alone.  ``digits``:
    a number of so many digits is waited for (0: none, or of any length).
    """

    phrases: tuple[str, ...] = ()
    closed: bool = False
    digits: int = 0


class Hearing(Protocol):
    """One caller's ear: sound in, words out."""

    async def hear(self, frame: Frame) -> Transcript:
        """Feed ``frame``; answers the utterance's current partial transcript."""

    async def finish(self) -> Transcript:
        """End the utterance; answers its final transcript.  The ear is ready for the next one."""

    def skip(self, ms: float) -> None:
        """``ms`` of the call's sound passed that was not fed: the words' times go on."""

    async def settle(self) -> Transcript:
        """The caller fell silent: decode what is held back; answers the partial as it would become.

        The utterance goes on; nothing is lost when the caller does.
        """

    async def expect(self, hints: Hints) -> None:
        """Use ``hints`` from the next utterance on."""

    async def close(self) -> None:
        """Free the ear."""


class Recognizer(Protocol):
    """A speech recogniser; one model shared by all calls."""

    @property
    def name(self) -> str:
        """Engine and model, as reports show it."""

    async def open(self, *, language: str, hints: Hints = Hints()) -> Hearing:
        """A new ear for one call.  Raises :class:`~agi_bot.errors.ModelError` for an unknown language."""


# --- understanding ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entity:
    """A value found in the caller's words.

    ``kind`` is ``date``, ``time``, ``datetime``, ``money``, ``number``, ``percent``, ``phone``,
    ``id``, ``digits`` (a run of digits as text, leading zeros kept), ``text`` or an entity of
    the training data; ``start``/``end`` are character offsets in the text.
    """

    kind: str
    value: Value
    text: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Intent:
    """What the caller meant.  ``name`` is empty when nothing fits (out of scope)."""

    name: str
    confidence: float = 0.0
    entities: tuple[Entity, ...] = ()
    ranking: tuple[tuple[str, float], ...] = ()
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when the caller speaks.

    ``expected`` are the step's own intents (a soft prior), ``wanted`` maps slot name to
    entity kind where the step wants a slot filled, ``now`` is the call's clock (with zone).
    ``before`` is what the caller has said in answer to the same question, oldest first: after
    "tomorrow evening", "at eight" is 20:00.
    """

    language: str
    now: datetime
    expected: tuple[str, ...] = ()
    wanted: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()


class Interpreter(Protocol):
    """Words in, intent and entities out."""

    @property
    def name(self) -> str:
        """Engine and model, as reports show it."""

    async def interpret(self, text: str, context: Context) -> Intent:
        """Raises :class:`~agi_bot.errors.InterpreterDown` when no answer can be had."""


# --- speaking --------------------------------------------------------------------------


class Voice(Protocol):
    """Text in, sound out, ready for the telephone line."""

    @property
    def name(self) -> str:
        """Engine and speaker, as reports show it."""

    @property
    def rate(self) -> int:
        """Sampling rate of the frames, Hz."""

    def speak(self, text: str) -> AsyncIterator[Frame]:
        """Frames of any length, first one as early as possible; closing the iterator stops the work.

        Raises :class:`~agi_bot.errors.SpeechError` for text that cannot be spoken,
        :class:`~agi_bot.errors.EngineDown` when the engine died.
        """

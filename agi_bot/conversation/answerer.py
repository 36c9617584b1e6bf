"""The answerer's desk: who answered a call that we placed, and what the campaign wants done about it.

It listens beside the conversation for the first seconds after the answer.  The bot does not
wait for it: a person is greeted at once.  Only words and tones are acted upon; what timing
says is noted, because a person taken for a machine is the worse mistake.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from agi_bot.audio import Frame
from agi_bot.contracts import Hearing, Transcript
from agi_bot.conversation.ear import Ear, Sound
from agi_bot.flow.events import Span
from agi_bot.record import CallRecord
from agi_bot.speech.answering import Answerer, AnswerJudge, Verdict, asks_to_wait, of_words
from agi_bot.speech.beep import BeepDetector
from agi_bot.speech.vad import Segment, VoiceActivity

log = logging.getLogger(__name__)

MACHINE = "machine"
MESSAGE_LEFT = "message_left"
"""Outcomes of a call that a machine answered."""

LISTEN_MS = 20_000
"""So long after the answer the desk is open; later nobody is taken for a machine any more."""

SETTLE_MS: Mapping[Answerer, int] = {Answerer.NETWORK: 1200}
SETTLE_ELSE_MS = 300
"""Words must stand so long in the partial transcript: it changes its mind, and announcements go on ("please hold")."""

AFTER_TONE_MS = 250
QUIET_MS = 3000
"""A machine without a tone has been quiet for so long: it records."""

SCREENER_QUIET_MS = 700
MOST_MS = 45_000
"""So long a machine may talk, or a screener look for its owner."""

_KEPT = 200
"""Characters of what was said that are still looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, with the texts ready to be said; see :class:`~agi_bot.speech.answering.AnswerRules`."""

    on_machine: str = "hang_up"
    message: tuple[Span, ...] = ()
    introduction: tuple[Span, ...] = ()
    by_timing: bool = False


class TakenLine(Protocol):
    """What the desk does to the conversation (:class:`~agi_bot.conversation.talk.Talk` lets it)."""

    def seize(self) -> None:
        """Fall silent; from now on the dialogue hears and says nothing."""

    def say_aside(self, spans: tuple[Span, ...]) -> None:
        """Say something that is no part of the dialogue."""

    def leave(self, outcome: str) -> None:
        """Hang up."""

    def start_anew(self) -> None:
        """Give the line to the dialogue, from its beginning."""


class _State(Enum):
    LISTENING = auto()
    WAITING = auto()
    """For a machine's tone."""
    LEAVING = auto()
    """The message."""
    SCREENED = auto()
    TELLING = auto()
    """A screener, who calls."""
    ASKED = auto()
    """The screener looks for its owner."""
    OVER = auto()


class AnswererDesk:
    """Tell it with :meth:`hears` and :meth:`utterance` what the ear hears."""

    def __init__(self, plan: Plan, line: TakenLine, record: CallRecord) -> None:
        self._plan = plan
        self._line = line
        self._record = record
        self._judge = AnswerJudge()
        self._beeps = BeepDetector()
        self._state = _State.LISTENING
        self._since = 0
        self._noise_at = 0
        self._now = 0
        self._speech = self._tone = self._answered = False
        self._said = ""
        self._told_at: int | None = None
        self.ended_call = False
        """The end of the call is the desk's and not the dialogue's."""
        self._noted = Verdict(Answerer.UNKNOWN)

    @property
    def outcome_if_gone(self) -> str:
        """The outcome when the other side hangs up now; empty: the dialogue's own."""
        return MACHINE if self._waits_for_nobody else ""

    @property
    def _waits_for_nobody(self) -> bool:
        return self._state not in (_State.LISTENING, _State.OVER)

    # --- what is heard ---------------------------------------------------------------

    def hears(self, frame: Frame, sound: Sound) -> None:
        """The next frame of the other side, and what is known after it."""
        self._now = sound.now_ms
        if self._state is _State.OVER or (self._state is _State.LISTENING and self._now > LISTEN_MS):
            return
        self._follow_speech(sound.segment)
        self._follow_tone(self._beeps.push(frame))
        for signal in sound.signals:
            self._judge.signal(signal)
        self._read(sound.partial)
        self._judge.passed(self._now)
        self._note()
        self._go_on()

    def utterance(self, text: str) -> None:
        """Somebody stopped speaking; ``text`` is what was said."""
        self._said = f"{self._said} {text}"[-_KEPT:]
        if self._state is _State.ASKED and text.strip() and not self._judge.verdict.proven:
            self._told_screener(text)
        elif of_words(self._said).certain:
            self._judge.heard(self._said)

    def understood(self) -> None:
        """The other side gave an answer that the dialogue understood: people do that."""
        self._answered = True
        if self._state is _State.LISTENING and not self._judge.verdict.proven:
            self._write(Verdict(Answerer.HUMAN, "answered the bot"))

    def _follow_speech(self, segment: Segment) -> None:
        if segment.speech and not self._speech:
            self._judge.speech_started(segment.from_ms)
        elif self._speech and not segment.speech:
            self._judge.speech_ended(segment.to_ms)
        self._speech = segment.speech
        if self._speech or self._tone:
            self._noise_at = self._now

    def _follow_tone(self, pure: bool) -> None:
        # In a conversation that goes on a tone is a thing in the person's room.
        if pure != self._tone and not (self._answered and self._state is _State.LISTENING):
            self._judge.tone(pure, self._now)
            self._tone = pure

    def _read(self, partial: str) -> None:
        text = f"{self._said} {partial}"
        found = of_words(text)
        if not found.certain:
            self._told_at = None
            return
        if self._told_at is None:
            self._told_at = self._now
        if self._now - self._told_at >= SETTLE_MS.get(found.who, SETTLE_ELSE_MS):
            self._judge.heard(text)

    def _note(self) -> None:
        verdict = self._judge.verdict
        guess_counts = self._state is _State.LISTENING and not self._answered
        if verdict.certain and verdict != self._noted and (verdict.proven or guess_counts):
            self._noted = verdict
            self._write(verdict)

    def _write(self, verdict: Verdict) -> None:
        record = self._record
        record.answered_by, record.answered_by_why = verdict.who.value, verdict.why
        record.answered_by_ms = self._now
        told = {"call_id": record.call_id, "who": verdict.who.value, "why": verdict.why, "at_ms": self._now}
        log.info("call.answered_by", extra=told)

    # --- what is done ----------------------------------------------------------------

    def _go_on(self) -> None:
        match self._state:
            case _State.LISTENING | _State.ASKED:
                self._decide()
            case _State.WAITING if self._may_speak():
                self._to(_State.LEAVING)
                self._line.say_aside(self._plan.message)
            case _State.SCREENED if self._quiet_for(SCREENER_QUIET_MS):
                self._to(_State.TELLING)
                self._line.say_aside(self._plan.introduction)
        if self._state in (_State.WAITING, _State.ASKED) and self._now - self._since > MOST_MS:
            self._leave(MACHINE)

    def _decide(self) -> None:
        verdict = self._judge.verdict
        if not (verdict.proven or (self._plan.by_timing and verdict.who is Answerer.MACHINE)):
            return
        if verdict.who is Answerer.NETWORK and verdict.status is not None:
            self._leave(verdict.status.value)
        elif verdict.who is Answerer.SCREENING and self._plan.introduction and self._state is _State.LISTENING:
            self._line.seize()
            self._to(_State.SCREENED)
        elif verdict.who is Answerer.MACHINE:
            self._answer_machine(verdict)

    def _answer_machine(self, verdict: Verdict) -> None:
        if self._plan.on_machine == "continue" and self._state is _State.LISTENING:
            return
        if self._plan.on_machine != "leave_message" or verdict.why.startswith("tone: "):  # a fax, a modem
            self._leave(MACHINE)
            return
        self._line.seize()
        self._to(_State.WAITING)

    def _may_speak(self) -> bool:
        beep = self._judge.beep_ended
        after_tone = beep is not None and beep >= self._since - SETTLE_ELSE_MS - AFTER_TONE_MS
        return (after_tone and self._quiet_for(AFTER_TONE_MS)) or self._quiet_for(QUIET_MS)

    def _quiet_for(self, ms: int) -> bool:
        return not self._judge.sounding and self._now - max(self._noise_at, self._since - SETTLE_ELSE_MS) >= ms

    def _told_screener(self, text: str) -> None:
        if asks_to_wait(text):
            return
        if of_words(text).certain:
            self._judge.heard(text)
            return
        self._to(_State.OVER)
        self._write(Verdict(Answerer.HUMAN, "came after the call screening"))
        self._line.start_anew()

    def spoken(self) -> None:
        """What was said aside has been said to its end."""
        if self._state is _State.LEAVING:
            self._leave(MESSAGE_LEFT)
        elif self._state is _State.TELLING:
            self._to(_State.ASKED)
            self._judge, self._said = AnswerJudge(), ""

    def failed(self) -> None:
        """It could not be said."""
        if self._state in (_State.LEAVING, _State.TELLING):
            self._leave(MACHINE)

    def _leave(self, outcome: str) -> None:
        self._to(_State.OVER)
        self.ended_call = True
        self._line.leave(outcome)

    def _to(self, state: _State) -> None:
        self._state, self._since = state, self._now


class OverheardEar(Ear):
    """An ear that tells the desk what it hears."""

    def __init__(self, hearing: Hearing, activity: VoiceActivity, desk: AnswererDesk) -> None:
        super().__init__(hearing, activity)
        self._desk = desk

    async def hear(self, frame: Frame) -> Sound:
        sound = await super().hear(frame)
        self._desk.hears(frame, sound)
        return sound

    async def finish(self) -> Transcript:
        transcript = await super().finish()
        self._desk.utterance(transcript.text)
        return transcript

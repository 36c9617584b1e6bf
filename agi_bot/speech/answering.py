"""Who answered: a human, a machine, a call screener, or the network?  Pure: no I/O, no clock.

Before the answer the SIP cause says it, and what the network plays (:func:`of_cause`,
:func:`of_words`).  After the answer people say a short 喂 and wait; machines speak a long
sentence without waiting, and end in a tone.  :class:`AnswerJudge` is told what the ear
hears; what timing alone says is corrected by words and tones, nothing else changes a
verdict.  Times are ms since the answer.

The limits are those that Asterisk's ``AMD()`` documents as its defaults where there are
such (``greeting`` 1500 ms, ``after_greeting_silence`` 800 ms, ``initial_silence`` 2500 ms,
``total_analysis_time`` 5000 ms), but longer: to take a person who answers with the name of
a firm for a machine is the worse mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from agi_bot.contracts import Disposition, Status
from agi_bot.speech.signals import Signal


class Answerer(StrEnum):
    """Who or what is at the other end."""

    HUMAN = "human"
    MACHINE = "machine"
    SCREENING = "screening"
    NETWORK = "network"
    UNKNOWN = "unknown"
    """Not certain yet, or never: to be treated as a human."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` names the rule; ``status`` is what a network announcement says of the number."""

    who: Answerer
    why: str = ""
    status: Status | None = None

    @property
    def certain(self) -> bool:
        return self.who is not Answerer.UNKNOWN


OPEN = Verdict(Answerer.UNKNOWN)

_ANNOUNCEMENTS = (
    (
        Status.INVALID_NUMBER,
        r"空号|不存在|号码有误|并未使用"
        r"|is not in service|does not exist|disconnected|not been recogni[sz]ed|check the number",
    ),
    (Status.BUSY, r"正在通话中|通话中|(?:line|number)\b.*\bis busy"),
    (
        Status.UNREACHABLE,
        r"关机|停机|暂时无法接通|无法接通|暂停服务|不在服务区|呼叫受限|呼入限制|is (?:powered|switched|turned) off"
        r"|(?:cannot|can't|can not) be (?:connected|reached)|(?:not |un)(?:reachable|available) at the moment"
        r"|out of service",
    ),
    (Status.NO_ANSWER, r"无人接听|暂时无人|does not answer|no one (?:is )?answer"),
)
_NETWORK = [(status, re.compile(words, re.IGNORECASE)) for status, words in _ANNOUNCEMENTS]
_ADDRESS = re.compile(
    r"您(?:所)?拨(?:打|叫)?的|所拨|the (?:number|subscriber|customer|person) (?:you|is)|dialed|dialled", re.IGNORECASE
)
_MACHINE = re.compile(
    r"留言|语音信箱|录音|(?:提示音|滴声|嘀声|哔声|嘟声).{0,4}后|自动应答|秘书台|来电助理"
    r"|leave (?:a |your |me a )?(?:short |brief )?(?:message|name)|after the (?:tone|beep)|voice\s?mail|mailbox"
    r"|answering machine"
    r"|(?:you(?:'| ha)ve|you) reached|can't (?:come to|take|answer)|cannot (?:come to|take|answer)",
    re.IGNORECASE,
)
_SCREENING = re.compile(
    r"请(?:说|问您是哪位|报)?.{0,6}(?:您的姓名|来意|哪里.*什么事)|正在为您转接.*身份|来电筛选|智能助理|代接"
    r"|(?:state|say|record) your name|why you(?:'re| are) calling|call screening|screening service",
    re.IGNORECASE,
)


def of_cause(disposition: Disposition) -> Verdict:
    """What an attempt that was not answered says; ``UNKNOWN`` for one that was."""
    if disposition.answered or disposition.status in (Status.UNKNOWN, Status.CANCELLED, Status.FAILED):
        return OPEN
    return Verdict(Answerer.NETWORK, f"cause {disposition.cause}, sip {disposition.sip}", disposition.status)


def of_words(text: str, *, early: bool = False) -> Verdict:
    """What recognised words say.  ``early``: heard before the answer, where nobody but the network speaks."""
    plain = text if re.search(r"[a-z]", text, re.IGNORECASE) else text.replace(" ", "")
    for status, words in _NETWORK:
        if (found := words.search(plain)) and (early or _ADDRESS.search(plain)):
            return Verdict(Answerer.NETWORK, f"words: {found[0]}", status)
    if found := _SCREENING.search(plain):
        return Verdict(Answerer.SCREENING, f"words: {found[0]}")
    if found := _MACHINE.search(plain):
        return Verdict(Answerer.MACHINE, f"words: {found[0]}")
    return OPEN


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """In ms.  ``greeting``: a first utterance so long is a machine's.  ``waits``: silence after a
    short one, in which a human waits for us.  ``silent``: nothing was said since the answer.
    ``total``: the latest verdict.  ``pause``: a shorter silence is within an utterance.
    """

    greeting: int = 4000
    waits: int = 800
    silent: int = 4000
    total: int = 8000
    pause: int = 400
    tone: int = 180


class AnswerJudge:
    """Tell it what is heard from the answer on, in order; ask :attr:`verdict` after each.

    ``beep_ended`` is when a machine's tone ended, so that a message can be left.
    """

    def __init__(self, limits: AnswerLimits | None = None) -> None:
        self.verdict = OPEN
        self.beep_ended: int | None = None
        self._limits = limits or AnswerLimits()
        self._guessed = False
        self._speaking = False
        self._utterance_from = 0
        self._speech_to: int | None = None
        self._spoken_from: int | None = None
        self._tone_from: int | None = None

    # --- what is heard ---------------------------------------------------------------

    def speech_started(self, at_ms: int) -> None:
        """Somebody began to speak."""
        if self._spoken_from is None:
            self._spoken_from = at_ms
        if self._speech_to is None or at_ms - self._speech_to > self._limits.pause:
            self._utterance_from = at_ms
        self._speaking = True
        self.passed(at_ms)

    def speech_ended(self, at_ms: int) -> None:
        """The voice fell silent."""
        self._speaking = False
        self._speech_to = at_ms
        self.passed(at_ms)

    def heard(self, text: str) -> None:
        """The recognised words so far."""
        self._decide(of_words(text))

    def signal(self, signal: Signal) -> None:
        """A tone of the line was found."""
        if signal in (Signal.FAX, Signal.MODEM):
            self._decide(Verdict(Answerer.MACHINE, f"tone: {signal}"))
        elif signal in (Signal.BUSY, Signal.RINGBACK, Signal.DIAL_TONE):
            status = Status.BUSY if signal is Signal.BUSY else None
            self._decide(Verdict(Answerer.NETWORK, f"tone: {signal}", status))

    def tone(self, on: bool, at_ms: int) -> None:
        """A pure tone of any pitch is heard (a machine's beep), or is no longer."""
        if on:
            self._tone_from = at_ms if self._tone_from is None else self._tone_from
        elif self._tone_from is not None:
            began, self._tone_from = self._tone_from, None
            after_speech = self._spoken_from is not None and self._spoken_from < began
            if at_ms - began >= self._limits.tone and after_speech:
                self._decide(Verdict(Answerer.MACHINE, "tone after speech"))
                self.beep_ended = at_ms

    def passed(self, now_ms: int) -> None:
        """Time went on."""
        if self.verdict.certain:
            return
        limits = self._limits
        if self._speaking and now_ms - self._utterance_from >= limits.greeting:
            self._guess(Verdict(Answerer.MACHINE, f"spoke for {limits.greeting} ms without a pause"))
        elif self._waiting_ms(now_ms) >= limits.waits:
            length = (self._speech_to or 0) - self._utterance_from
            self._guess(Verdict(Answerer.HUMAN, f"spoke for {length} ms, then waited"))
        elif self._speech_to is None and not self._speaking and now_ms >= limits.silent:
            self._guess(Verdict(Answerer.HUMAN, "silent"))
        elif now_ms >= limits.total:
            self._guess(Verdict(Answerer.HUMAN, "nothing tells of a machine"))

    def _waiting_ms(self, now_ms: int) -> int:
        if self._speaking or self._speech_to is None or self._tone_from is not None:
            return 0
        return now_ms - self._speech_to

    def _guess(self, verdict: Verdict) -> None:
        """By timing."""
        self.verdict, self._guessed = verdict, True

    def _decide(self, verdict: Verdict) -> None:
        """By words or tones."""
        if verdict.certain and (self._guessed or not self.verdict.certain):
            self.verdict, self._guessed = verdict, False

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
    """``why`` names the rule (and never a name or number that was said); ``status`` is what a network
    announcement says of the number."""

    who: Answerer
    why: str = ""
    status: Status | None = None

    @property
    def certain(self) -> bool:
        return self.who is not Answerer.UNKNOWN

    @property
    def proven(self) -> bool:
        """Words or tones told it; timing alone takes some people for machines."""
        return self.why.startswith(("words", "tone"))


OPEN = Verdict(Answerer.UNKNOWN)

_ANNOUNCEMENTS = (
    (
        Status.INVALID_NUMBER,
        r"空号|不存在|号码有误|并未使用"
        r"|is not in service|does not exist|disconnected|not been recogni[sz]ed|check the number",
    ),
    (Status.BUSY, r"正在通话中|通话中|(?:line|number)\b(?=.*\bis busy)"),
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
# What people answer a bot ("为什么要录音", "请问您是哪里的", "I can't take it") must not be here.
_MACHINE = re.compile(
    r"(?:请|事|可以|可)您?(?:给我|给机主)?留言|后留言|留言(?:完|结束|后)|语音信箱|(?:提示音|滴声|嘀声|哔声|嘟声).{0,4}后"
    r"|自动应答|我是秘书台|来电助理"
    r"|leave (?:a |your |me a )?(?:short |brief )?message|after the (?:tone|beep)|voice\s?mail|mailbox is"
    r"|the answering machine of"
    r"|(?:you(?:'| ha)ve|you) reached (?!the wrong)"
    r"|(?:can't|can not|cannot) (?:come to the phone|take your call|answer (?:the phone|your call))",
    re.IGNORECASE,
)
_SCREENING = re.compile(
    r"来意|(?:说出|说|报|留下)(?:您|你)的姓名.{0,4}(?:和|及|以及|还有)|来电筛选|我是(?=.{0,8}(?:智能助理|来电助理))"
    r"|(?:state|say|record) your name (?:and|after)|name and why you(?:'re| are) calling|screening service",
    re.IGNORECASE,
)
_HOLD_ON = re.compile(
    r"不要挂机|请稍(?:等|候)|正在为您(?:接通|转接)|please hold|stay on the line|hold the line", re.IGNORECASE
)


_CJK_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])")
"""Recognisers put spaces between Chinese words, also beside an English announcement."""


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """What a campaign wants done when no person answers.

    ``on_machine`` is one of :data:`ON_MACHINE`.  ``message`` is what is said after the tone,
    ``introduction`` what a call screener is told (who calls and why): each the name of a
    step of the flow, whose ``say`` is spoken, or a text with ``{slots}`` of the task.
    ``by_timing``: hang up on what only sounds like a machine, too.  ``early_media``: listen
    to what the network plays before an answer.
    """

    on_machine: str = "hang_up"
    message: str = ""
    introduction: str = ""
    by_timing: bool = False
    early_media: bool = True


ON_MACHINE = ("hang_up", "leave_message", "continue")


def of_cause(disposition: Disposition) -> Verdict:
    """What an attempt that was not answered says; ``UNKNOWN`` for one that was."""
    if disposition.answered or disposition.status in (Status.UNKNOWN, Status.CANCELLED, Status.FAILED):
        return OPEN
    return Verdict(Answerer.NETWORK, f"cause {disposition.cause}, sip {disposition.sip}", disposition.status)


def asks_to_wait(text: str) -> bool:
    """Whether the words ask the caller to hold the line."""
    return bool(_HOLD_ON.search(_CJK_GAP.sub("", text)))


def of_words(text: str, *, early: bool = False) -> Verdict:
    """What recognised words say.  ``early``: heard before the answer, where nobody but the network speaks."""
    plain = _CJK_GAP.sub("", text)
    for status, words in _NETWORK:
        if (found := words.search(plain)) and (early or _ADDRESS.search(plain)) and not _HOLD_ON.search(plain):
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
    ``total``: the latest verdict.  ``pause``: a shorter silence is within an utterance.  ``tone``: a
    beep is so long; ``before_tone``: with less speech before it, it may be any beep in a person's room.
    """

    greeting: int = 4000
    waits: int = 800
    silent: int = 4000
    total: int = 8000
    pause: int = 400
    tone: int = 180
    before_tone: int = 900


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
        self._began = self._spoken_ms = 0
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
        self._began = at_ms
        self._speaking = True
        self.passed(at_ms)

    def speech_ended(self, at_ms: int) -> None:
        """The voice fell silent."""
        self._spoken_ms += at_ms - self._began if self._speaking else 0
        self._speaking = False
        self._speech_to = at_ms
        self.passed(at_ms)

    @property
    def sounding(self) -> bool:
        """Whether somebody speaks or a tone sounds."""
        return self._speaking or self._tone_from is not None

    def heard(self, text: str) -> None:
        """The recognised words so far."""
        self._decide(of_words(text))

    def signal(self, signal: Signal) -> None:
        """A tone of the line was found."""
        if signal in (Signal.FAX, Signal.MODEM):
            self._decide(Verdict(Answerer.MACHINE, f"tone: {signal}"))
        elif signal is Signal.BUSY and self._spoken_from is None:
            # After speech a busy tone only tells that the other side has hung up.
            self._decide(Verdict(Answerer.NETWORK, f"tone: {signal}", Status.BUSY))

    def tone(self, on: bool, at_ms: int) -> None:
        """A pure tone of any pitch is heard (a machine's beep), or is no longer."""
        if on:
            self._tone_from = at_ms if self._tone_from is None else self._tone_from
        elif self._tone_from is not None:
            began, self._tone_from = self._tone_from, None
            after_speech = self._spoken_from is not None and self._spoken_from < began
            if at_ms - began >= self._limits.tone and after_speech:
                self._beeped(at_ms)

    def _beeped(self, at_ms: int) -> None:
        self.beep_ended = at_ms
        if self._spoken_ms >= self._limits.before_tone:
            self._decide(Verdict(Answerer.MACHINE, "tone after speech"))
        elif not self.verdict.certain:
            self._guess(Verdict(Answerer.MACHINE, "short word, then a tone"))

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

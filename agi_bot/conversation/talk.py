"""The talk: events into the dialogue one after another, its actions carried out, and the clock of silence."""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import time
from dataclasses import replace
from datetime import datetime

from agi_bot.contracts import Call, Digit, Intent, Transcript
from agi_bot.conversation.clock import Clock
from agi_bot.conversation.courtesy import MAX_TURN, excuse
from agi_bot.conversation.ending import Ending
from agi_bot.conversation.engines import Engines, Limits, Script
from agi_bot.conversation.foresight import next_says, would_say
from agi_bot.conversation.hookdesk import Answer, HookDesk
from agi_bot.conversation.journal import Journal
from agi_bot.conversation.keydesk import KeyDesk
from agi_bot.conversation.listener import Listener, TurnHeard
from agi_bot.conversation.meaning import Meaning
from agi_bot.conversation.mouth import Mouth
from agi_bot.conversation.progress import BotInterrupted, CallerSpoke, Watcher
from agi_bot.conversation.prompter import Prompter
from agi_bot.conversation.shift import Shift
from agi_bot.conversation.waiting import LOOK_AGAIN_S, LongestCall, Silence
from agi_bot.errors import InterpreterDown
from agi_bot.flow.events import (
    Action,
    End,
    EngineFailed,
    Event,
    Heard,
    HookFailed,
    HungUp,
    Keyed,
    Listen,
    Mark,
    PromptCut,
    PromptEnded,
    RunHook,
    Say,
    Silent,
    Span,
    Started,
    TooLong,
    Transfer,
)
from agi_bot.logs import of_call

log = logging.getLogger(__name__)

FILLER = -1
"""Prompt number of a filler: no dialogue knows it, so its end is nobody's news."""

ASIDE = -2
"""Prompt number of what the answerer's desk says."""


class Talk:
    """One call's inbox.

    ``shift`` tells where in the recording a sound stands that was heard.  ``script`` is the
    dialogue.  ``seized``: the answerer's desk has the line, and nothing reaches the dialogue.
    """

    def __init__(
        self,
        call: Call,
        script: Script,
        engines: Engines,
        journal: Journal,
        limits: Limits,
        clock: Clock,
        watch: Watcher,
    ) -> None:
        self.gone = False
        self.shift = Shift()
        self.script = script
        self._unbegun = copy.deepcopy(script)
        self._call = call
        self._engines = engines
        self._journal = journal
        self._clock = clock
        self._ending = Ending(journal, clock)
        self._meaning = Meaning(engines.interpreter, journal.record.language, of_call(call))
        self._watch = watch
        self._inbox: asyncio.Queue[Event | TurnHeard] = asyncio.Queue()
        self._desk = HookDesk(
            engines.hooks, self._hook_answered, self._fill, lambda: self._listener.in_turn, of_call(call)
        )
        self._prompter = Prompter(engines.voice, journal.record.language, call.rate)
        self._keys = KeyDesk(self._press)
        self._unanswered: list[TurnHeard] = []
        """Turns that are over, and that neither the dialogue nor a key has answered."""
        self._silence = Silence(clock)
        self._longest = LongestCall(clock, limits.max_call_s)
        self.seized = False
        self._anew: Started | None = None
        self._mouth: Mouth
        self._listener: Listener

    def connect(self, mouth: Mouth, listener: Listener) -> None:
        """Give the talk its mouth and its listener, which report back to it."""
        self._mouth, self._listener = mouth, listener

    async def run(self) -> None:
        """Talk until the dialogue has ended and its last word is spoken, or the caller is gone."""
        await self._happened(Started(self._time()))
        while not self._over:
            try:
                async with asyncio.timeout(self._wait_s):
                    item = await self._inbox.get()
            except TimeoutError:
                await self._time_passed()
                continue
            if isinstance(item, TurnHeard):
                await self._turn(item)
            else:
                await self._happened(item)

    async def stop(self) -> None:
        """Give up hooks and prepared prompts: the call is over."""
        self._keys.stop()
        self._prompter.clear()
        self._journal.record.engines.setdefault("voice", self._prompter.speaker)
        await self._desk.stop()

    @property
    def last(self) -> End | Transfer | None:
        """The dialogue's last word, once it has been given."""
        return self._ending.last

    @property
    def _over(self) -> bool:
        return self.gone or (self.last is not None and not self._mouth.busy and not self._heard_out)

    @property
    def _heard_out(self) -> bool:
        """The bot has ended and the caller is speaking: nobody is hung up on in mid-word."""
        answered = self._inbox.empty()
        return not self.seized and self._ending.waits(speaking=self._listener.in_turn, answered=answered)

    # --- events and actions ----------------------------------------------------------

    async def _happened(self, event: Event) -> None:
        if isinstance(event, HungUp):
            self.gone = True
        if event is self._anew:
            self.script = self._unbegun
            self.seized = self._listener.closing = False
        filler = isinstance(event, PromptEnded | PromptCut) and event.prompt in (FILLER, ASIDE)
        if filler or self.seized or self.last is not None:
            return
        before = self._ending.now(self.script) if isinstance(event, Silent) else None
        actions = self.script.receive(event)
        self._ending.may_go_back(before)
        # Before they are carried out: the first sound of a reply begins another turn.
        self._journal.at_step(self.script.step)
        self._journal.asks(actions)
        for action in actions:
            await self._do(action)

    async def _do(self, action: Action) -> None:
        match action:
            case Say():
                self._mouth.say(self._prompter.prompt(action))
            case Listen():
                await self._expect(action)
            case RunHook():
                self._desk.run(action)
            case Mark():
                self._journal.record.tags.append(action.tag)
            case End():
                self._journal.close(action.outcome, "bot")
                self._close(action)
            case Transfer():
                self._journal.record.transfer_to = action.to
                self._journal.close("transferred", "transfer")
                self._close(action)

    def _close(self, last: End | Transfer) -> None:
        self._ending.close(last)
        self._desk.drop()
        if not self._ending.revocable:
            self._listener.closing = True
            # Nobody takes the turn any more: what a voice held up is spoken to its end.
            self._mouth.resume()

    def _take_back_end(self) -> None:
        self.script = self._ending.take_back() or self.script

    async def _expect(self, listen: Listen) -> None:
        self._keys.expect(listen.keys)
        self.quiet()
        await self._listener.expect(listen, self._engines.bias.hints(listen))
        self._prompter.foresee(next_says(self.script, listen))

    # --- the clock of silence --------------------------------------------------------

    def quiet(self) -> None:
        """The line became quiet now, or something happened that starts the silence anew."""
        self._silence.begin()

    def _time(self) -> datetime:
        return datetime.now(self._journal.record.started_at.tzinfo)

    @property
    def _caller_is_awaited(self) -> bool:
        busy = self._mouth.busy or self._listener.in_turn or self._desk.busy or self._keys.pending
        return not (busy or self.seized or self.last)

    @property
    def _silence_left_s(self) -> float:
        if self._caller_is_awaited:
            return self._silence.left_s(self._listener.asks.silence_ms)
        return math.inf if self._mouth.busy else LOOK_AGAIN_S

    @property
    def _longest_left_s(self) -> float:
        return self._longest.left_s(speaking=self._listener.in_turn and not self.seized)

    @property
    def _wait_s(self) -> float:
        return max(0.0, min(self._silence_left_s, self._longest_left_s))

    async def _time_passed(self) -> None:
        if not self._inbox.empty():
            # Something came in the same moment: it goes first.
            return
        if self._longest_left_s <= 0:
            await self._too_long()
        elif self._silence_left_s <= 0:
            self.quiet()
            self._journal.count("silences")
            await self._happened(Silent())

    async def _too_long(self) -> None:
        if not self._longest.told:
            self._longest.tell()
            await self._happened(TooLong())
            return
        self._journal.note("the dialogue did not end after the longest call time")
        self._journal.close("too_long", "bot")
        self._close(End("too_long"))
        self._mouth.drop()

    # --- the caller ------------------------------------------------------------------

    def heard(self, turn: TurnHeard) -> None:
        """The caller's turn is over."""
        self._unanswered.append(turn)
        self._inbox.put_nowait(turn)

    def hung_up(self) -> None:
        """The caller is gone."""
        self._inbox.put_nowait(HungUp())

    def interrupted(self) -> None:
        """The caller took the turn: what was not spoken is dropped."""
        if self.seized:
            return
        self._take_back_end()
        silent_at = self._mouth.paused_at
        cut = self._mouth.cut()
        if cut is None:
            # What is protected is still to be spoken; the rest is left out.
            if self._mouth.busy:
                self._journal.count("barge_ins")
            return
        if self._journal.cut(cut, int(self._clock.ms if silent_at is None else self._clock.at(silent_at))):
            self._watch(BotInterrupted(cut.words))
        self._inbox.put_nowait(cut)

    def false_alarm(self, why: str) -> None:
        """Sound of the caller that meant nothing."""
        self._journal.count(f"false_alarms.{why}")
        self._silence.noise()

    async def understand(self, text: str) -> Intent:
        """What ``text`` means at this point of the talk.  Raises :class:`InterpreterDown`."""
        return await self._meaning.of(text, self._listener.asks, self._time())

    def prepare(self, intent: Intent, text: str) -> None:
        """Render what would be said if the caller stopped now; the caller may well go on."""
        if self.last is not None:
            return
        for say in would_say(self.script, Heard(intent, Transcript(text, final=True))):
            self._prompter.prepare(say)

    async def _turn(self, item: TurnHeard) -> None:
        self.quiet()
        transcript, changes = self._engines.bias.understood_as(item.transcript, self._listener.asks)
        heard = replace(item, transcript=transcript, intent=None) if changes else item
        to_ms = int(self._clock.at(heard.ended_at))
        stalled_ms = self.shift.at(heard.to_ms) - self.shift.at(heard.from_ms)
        from_ms = to_ms - (heard.to_ms - heard.from_ms) - stalled_ms
        turn = self._journal.heard(heard.transcript, from_ms, to_ms, shift=self.shift)
        turn.endpoint_ms = heard.lag_ms
        self._journal.corrected(turn, changes)
        if self.seized:
            return
        if heard.transcript.text.strip():
            self._take_back_end()
        began = time.perf_counter()
        try:
            intent = heard.intent or await self.understand(heard.transcript.text)
        except InterpreterDown as error:
            self.engine_failed("interpreter", error)
            return
        self._journal.understood(turn, intent, (time.perf_counter() - began) * 1000)
        self._watch(CallerSpoke(turn))
        if self._outdone(item):
            turn.notes.append("a key was pressed meanwhile: it counts")
            self._journal.count("false_alarms.keyed")
            return
        self._excuse(heard)
        ahead = self._journal.is_ahead(from_ms)
        await self._happened(Heard(intent, replace(heard.transcript, final=True), ahead))

    def _outdone(self, item: TurnHeard) -> bool:
        """Whether a key came after these words and before their meaning was known: who does both has answered once."""
        open_still = any(each is item for each in self._unanswered)
        self._unanswered = [each for each in self._unanswered if each is not item]
        return not open_still or self._keys.pending

    def _excuse(self, heard: TurnHeard) -> None:
        """Whoever speaks without end is interrupted politely, and not by half a word."""
        words = excuse(self._journal.record.language)
        if heard.why == MAX_TURN:
            self._journal.note("interrupted: the caller spoke without end")
            self._journal.count("longest_turns")
            if words:
                self._fill((Span(words),))

    def key(self, digit: Digit) -> None:
        """The caller pressed a key."""
        self.quiet()
        if self._ending.revocable:
            self.interrupted()
        self._unanswered.clear()
        self._keys.press(digit.key)

    def _press(self, keys: str) -> None:
        turn = self._journal.keyed(keys, int(self._clock.ms))
        self._listener.answered_by_key()
        self.interrupted()
        self._watch(CallerSpoke(turn))
        self._inbox.put_nowait(Keyed(keys))

    # --- the answerer's desk (see TakenLine there) -----------------------------------

    def seize(self) -> None:
        """Fall silent; from now on the dialogue hears and says nothing, and what it decided is void."""
        self.seized = self._listener.closing = True
        self._ending.reopen()
        self._mouth.drop()

    def say_aside(self, spans: tuple[Span, ...]) -> None:
        """Say something that is no part of the dialogue."""
        self._mouth.say(self._prompter.prompt(Say(ASIDE, spans, barge_in=False, voice=self._prompter.voice)))

    def leave(self, outcome: str) -> None:
        """Hang up with ``outcome``."""
        self.seize()
        self._journal.close(outcome, "bot")
        self._close(End(outcome, hang_up=True))
        self._inbox.put_nowait(PromptEnded(FILLER))

    def start_anew(self) -> None:
        """Give the line to the dialogue, from its beginning."""
        self._anew = Started(self._time())
        # Behind the turn that is just ending: it was said to nobody of us.
        asyncio.get_running_loop().call_soon(self._inbox.put_nowait, self._anew)

    # --- mouth, hooks, engines -------------------------------------------------------

    def prompt_ended(self, event: PromptEnded) -> None:
        """A prompt has been spoken to its end."""
        self.quiet()
        self._ending.spoken()
        self._journal.ended(int(self._clock.ms))
        self._inbox.put_nowait(event)

    def engine_failed(self, engine: str, error: Exception) -> None:
        """An engine is of no more use in this call."""
        self._journal.failed(engine, error)
        log.error("engine.failed", extra={**of_call(self._call), "engine": engine, "reason": str(error)})
        self._inbox.put_nowait(EngineFailed(engine))

    def _hook_answered(self, answer: Answer) -> None:
        if isinstance(answer, HookFailed):
            self._journal.note(answer.reason)
        self._inbox.put_nowait(answer)

    def _fill(self, spans: tuple[Span, ...]) -> None:
        self._mouth.say(self._prompter.prompt(Say(FILLER, spans, barge_in=False, voice=self._prompter.voice)))

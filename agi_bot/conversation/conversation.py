"""The centre: one call, one dialogue, the engines between.

Three tasks work together: the listener (the caller's sound into turns), the mouth (prompts
onto the line) and the talk (turns into the dialogue, its actions carried out).  The
dialogue alone decides what is said; nothing here knows what a flow is about.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Hearing
from agi_bot.conversation.answerer import AnswererDesk, OverheardEar, Plan
from agi_bot.conversation.clock import Clock
from agi_bot.conversation.deaf import NoHearing
from agi_bot.conversation.ear import Ear
from agi_bot.conversation.engines import Engines, Limits, Script
from agi_bot.conversation.journal import Journal
from agi_bot.conversation.listener import HEARING_TIMEOUT_S, Listener, Reports
from agi_bot.conversation.mouth import Mouth
from agi_bot.conversation.progress import BotSpeaks, CallerSpoke, Over, PartlyHeard, Progress, Watcher, nobody
from agi_bot.conversation.prompt import Prompt
from agi_bot.conversation.result import result_variables
from agi_bot.conversation.talk import Talk
from agi_bot.errors import AgiBotError, CallGone, EngineDown, StoreError
from agi_bot.flow.events import End, PromptEnded, Transfer
from agi_bot.logs import of_call
from agi_bot.privacy.recording import Recording
from agi_bot.record import CallRecord
from agi_bot.speech.turns import TurnTaker

log = logging.getLogger(__name__)

RECORDING_OPENS_S = 1.0
"""The caller waits no longer for the recordings' disk; without it there is no recording."""

RECORDING_CLOSES_S = 10.0
"""Nobody is on the line any more, but the record of the call waits."""

GIVE_BACK_S = 10.0
"""An exchange that does not take a call back in this time has lost it."""


class Conversation:
    """One call from the first word to the outcome; :meth:`run` does all of it.

    ``plan`` is for calls that we placed: what to do when no person answers.
    """

    def __init__(
        self,
        call: Call,
        script: Script,
        engines: Engines,
        record: CallRecord,
        *,
        limits: Limits | None = None,
        recording: Recording | None = None,
        watcher: Watcher = nobody,
        plan: Plan | None = None,
    ) -> None:
        self._call = call
        self._engines = engines
        self._record = record
        self._limits = limits or Limits()
        self._recording = recording
        self._watch = watcher
        self._journal = Journal(record)
        self._clock = Clock()
        self._heard_ms = 0.0
        self._talk = Talk(call, script, engines, self._journal, self._limits, self._clock, self._progressed)
        self._mouth = Mouth(call, self._prompt_over, self._frame_sent)
        self._ear: Ear | None = None
        self._listener: Listener | None = None
        self._unheard: EngineDown | None = None
        """Why the recogniser did not open."""
        self._answerer = AnswererDesk(plan, self._talk, record) if plan is not None else None

    @property
    def script(self) -> Script:
        """The dialogue that was had."""
        return self._talk.script

    @property
    def void(self) -> bool:
        """Whether the dialogue was had with no person, so that nothing of it counts."""
        return self._answerer is not None and (self._answerer.ended_call or bool(self._answerer.outcome_if_gone))

    async def run(self) -> CallRecord:
        """Converse; answers the record.

        Whatever goes wrong is in the record and the log; the call has been given back to
        the dialplan, transferred or ended when this returns.
        """
        self._clock.start()
        try:
            await self._open_recording()
            await self._converse()
        except Exception as error:
            self._broken(error)
        finally:
            self._sum_up()
            await self._give_back()
            await self._close_recording()
        self._watch(Over(self._record))
        return self._record

    def _broken(self, error: Exception) -> None:
        self._journal.note(f"failed: {error}")
        self._journal.close("error", "error")
        plain = isinstance(error, AgiBotError)
        log.error("call.failed", extra={**of_call(self._call), "reason": str(error)}, exc_info=not plain)

    async def _converse(self) -> None:
        self._listener = await self._open_listener()
        self._talk.connect(self._mouth, self._listener)
        if self._unheard is not None:
            self._listener.deafen(self._unheard)
        tasks = [asyncio.create_task(work) for work in (self._listen(self._listener), self._speak())]
        try:
            await self._talk.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._talk.stop(), return_exceptions=True)
            await self._listener.close()

    async def _open_listener(self) -> Listener:
        self._record.engines.setdefault("recognizer", self._engines.recognizer.name)
        hearing = await self._open_hearing()
        activity = self._engines.activity.stream()
        desk = self._answerer
        self._ear = ear = Ear(hearing, activity) if desk is None else OverheardEar(hearing, activity, desk)
        reports = Reports(
            frame=self._frame_heard,
            turn=self._talk.heard,
            key=self._talk.key,
            part=lambda text: self._watch(PartlyHeard(text)),
            interrupted=self._talk.interrupted,
            false_alarm=self._talk.false_alarm,
            failed=lambda error: self._talk.engine_failed("recognizer", error),
            understand=self._talk.understand,
            understood=self._talk.prepare,
            signal=self._signal,
        )
        return Listener(self._call, ear, TurnTaker(self._limits.turns, self._record.language), self._mouth, reports)

    async def _open_hearing(self) -> Hearing:
        """One that hears nothing where the recogniser hangs: the flow tells what is done then."""
        try:
            async with asyncio.timeout(HEARING_TIMEOUT_S):
                return await self._engines.recognizer.open(language=self._record.language)
        except TimeoutError:
            self._unheard = EngineDown(f"the recogniser did not open for {HEARING_TIMEOUT_S:g} s")
        except EngineDown as error:
            self._unheard = error
        return NoHearing()

    async def _listen(self, listener: Listener) -> None:
        try:
            await listener.run()
        except AgiBotError as error:
            log.debug("call.lost", extra={**of_call(self._call), "reason": str(error)})
        self._talk.hung_up()

    async def _speak(self) -> None:
        try:
            await self._mouth.run()
        except Exception as error:
            log.exception("mouth.crashed", extra=of_call(self._call))
            self._talk.engine_failed("voice", error)

    # --- the end ---------------------------------------------------------------------

    def _sum_up(self) -> None:
        if not self.void:
            self._record.slots.update(self._talk.script.slots)
        if self._talk.gone and self._answerer is not None and self._answerer.outcome_if_gone:
            self._journal.close(self._answerer.outcome_if_gone, "caller")
        if self._talk.gone and self._call.lost:
            self._journal.note(f"the call's sound was lost: {self._call.lost}")
            self._journal.close("error", "error")
        elif self._talk.gone:
            self._journal.close("hung_up", "caller")
        self._journal.close("error", "error")
        # By the steady clock: somebody may have set the machine's clock in mid-call.
        self._record.ended_at = self._record.started_at + timedelta(milliseconds=self._clock.ms)

    async def _give_back(self) -> None:
        try:
            async with asyncio.timeout(GIVE_BACK_S):
                await self._call.set_result(result_variables(self._record))
                await self._last_word()
        except CallGone:
            log.debug("call.gone", extra=of_call(self._call))
        except (AgiBotError, TimeoutError) as error:
            log.error("call.not_given_back", extra={**of_call(self._call), "reason": str(error) or "no answer"})

    async def _last_word(self) -> None:
        match self._talk.last:
            case _ if self._talk.gone:
                await self._call.release()
            case Transfer(to=to):
                await self._call.transfer(to)
            case End(hang_up=True):
                await self._call.hang_up()
            case _:
                await self._call.release()

    def _progressed(self, progress: Progress) -> None:
        answered = isinstance(progress, CallerSpoke) and (progress.turn.intent or progress.turn.keys)
        if answered and self._answerer is not None:
            self._answerer.understood()
        self._watch(progress)

    # --- sound -----------------------------------------------------------------------

    async def _open_recording(self) -> None:
        if self._recording is None:
            return
        try:
            async with asyncio.timeout(RECORDING_OPENS_S):
                await self._recording.open()
            self._record.recording = str(self._recording.path)
        except TimeoutError:
            self._recording.abandon()
            self._not_recorded(self._recording.failure)
        except StoreError as error:
            self._not_recorded(str(error))

    def _not_recorded(self, reason: str) -> None:
        log.error("recording.failed", extra={**of_call(self._call), "reason": reason})
        self._journal.note(reason)
        self._record.recording = ""
        self._recording = None

    async def _close_recording(self) -> None:
        if self._recording is None:
            return
        try:
            async with asyncio.timeout(RECORDING_CLOSES_S):
                await self._recording.close()
        except TimeoutError:
            self._recording.abandon()
            self._not_recorded(self._recording.failure)
            return
        if self._recording.failure:
            self._journal.note(self._recording.failure)
            log.error("recording.failed", extra={**of_call(self._call), "reason": self._recording.failure})

    def _frame_heard(self, frame: Frame) -> None:
        self._heard_ms += frame.ms
        if self._ear is not None and not self._mouth.speaking:
            self._ear.hushed(self._call.due_ms)
        if self._recording is not None:
            self._recording.caller(frame, self._clock.ms - frame.ms)
            began_ms = round(self._heard_ms - frame.ms)
            self._talk.shift.note(began_ms, round(self._recording.caller_ms - frame.ms) - began_ms)

    def _signal(self, signal: str) -> None:
        self._journal.note(f"line: {signal}")
        log.info("line.signal", extra={**of_call(self._call), "signal": signal})

    def _frame_sent(self, frame: Frame, prompt: Prompt, first: bool) -> None:
        now = self._clock.ms
        if self._recording is not None:
            self._recording.bot(frame, now)
        if self._ear is not None:
            self._ear.spoke(Frame(frame.pcm, frame.rate, self._call.due_ms))
        if first:
            reply_ms = self._journal.began(prompt, int(now))
            self._watch(BotSpeaks(prompt.say.text, reply_ms))

    def _prompt_over(self, event: PromptEnded | AgiBotError) -> None:
        if self._answerer is not None and self._talk.seized:
            self._answerer.spoken() if isinstance(event, PromptEnded) else self._answerer.failed()
        if isinstance(event, PromptEnded):
            self._talk.prompt_ended(event)
        else:
            self._talk.engine_failed("voice", event)

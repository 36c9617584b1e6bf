"""The listener: follows the caller's sound, ends turns, and decides when the mouth must be silent.

Partials that are stable are understood before the turn ends, so that the reply is ready
when the caller stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Digit, Hints, Intent, Transcript
from agi_bot.conversation.ear import Ear, Sound
from agi_bot.conversation.mouth import Mouth
from agi_bot.conversation.patience import Patience
from agi_bot.errors import EngineDown, SpeechError
from agi_bot.flow.events import Listen
from agi_bot.logs import of_call
from agi_bot.speech.turns import Act, Decision, Now, TurnTaker

log = logging.getLogger(__name__)

HEARING_TIMEOUT_S = 3.0
"""A recogniser that does not answer for this long is taken for dead."""

CLOSING_TIMEOUT_S = 1.0
"""Nobody waits longer on the line for engines that are put away."""

BESIDE_KEY_MS = 1500
"""Who presses a key and speaks gives one answer: so long the voice may go on beside the key."""

ONSET_MS = 100
"""A voice that begins together with the key is known for one only now."""


@dataclass(frozen=True, slots=True)
class TurnHeard:
    """The caller's turn is over.

    ``from_ms`` and ``to_ms`` are the first and last sound, in ms of the call's sound;
    ``lag_ms`` is how long ``to_ms`` was ago when the turn was ended, and ``ended_at`` when it
    was, by the event loop's clock, s: the recogniser may take its time for the last words.
    ``intent`` is what was understood ahead of the end (None: nothing).  ``why`` names the rule
    that ended the turn.
    """

    transcript: Transcript
    intent: Intent | None
    from_ms: int
    to_ms: int
    lag_ms: int
    ended_at: float
    why: str


@dataclass(frozen=True, slots=True)
class Reports:
    """Whom the listener tells what; all are called in the event loop."""

    frame: Callable[[Frame], None]
    turn: Callable[[TurnHeard], None]
    key: Callable[[Digit], None]
    part: Callable[[str], None]
    interrupted: Callable[[], None]
    false_alarm: Callable[[str], None]
    failed: Callable[[SpeechError], None]
    understand: Callable[[str], Awaitable[Intent]]
    understood: Callable[[Intent, str], None]
    signal: Callable[[str], None]


class Listener:
    """Listens to one call.  Set :attr:`asks` to what the dialogue waits for."""

    def __init__(self, call: Call, ear: Ear, taker: TurnTaker, mouth: Mouth, reports: Reports) -> None:
        self.asks = Listen("")
        self.closing = False
        self._call = call
        self._ear = ear
        self._taker = taker
        self._mouth = mouth
        self._reports = reports
        self._partial = ""
        self._intent: Intent | None = None
        self._intent_of = ""
        self._thinking: asyncio.Task[None] | None = None
        self._patience = Patience(HEARING_TIMEOUT_S)
        self._deaf = False
        self._ending = False
        """The turn is over for its taker, and its last words are awaited."""
        self._came_at = 0.0
        """When the newest frame came, by the event loop's clock, s."""
        self._keyed_ms: int | None = None
        """When a key answered, while the words said at the same time are not over."""

    @property
    def in_turn(self) -> bool:
        """Whether the caller has begun to speak and the turn has not been reported."""
        return (self._taker.in_turn or self._ending) and not self._deaf

    async def expect(self, asks: Listen, hints: Hints) -> None:
        """Listen for the answers to ``asks``, likely ``hints``, from now on."""
        if asks != self.asks:
            # What was understood ahead answers the question before.
            self._stop_thinking()
            self._intent, self._intent_of = None, ""
        self.asks = asks
        if not self._deaf:
            await self._guarded(self._ear.expect(hints), Patience(HEARING_TIMEOUT_S))

    def answered_by_key(self) -> None:
        """The caller pressed what was asked for: what is said at the same time is no answer of its own."""
        self._keyed_ms = self._ear.now_ms

    async def run(self) -> None:
        """Listen until the caller hangs up or the bot's part ends."""
        try:
            async for item in self._call.frames():
                if isinstance(item, Digit):
                    self._reports.key(item)
                else:
                    self._reports.frame(item)
                    await self._hear(item)
        finally:
            self._patience.close()
            self._stop_thinking()

    async def close(self) -> None:
        """Free the recogniser and the stream, after :meth:`run`."""
        try:
            async with asyncio.timeout(CLOSING_TIMEOUT_S):
                await self._ear.close()
        except Exception as error:
            # The caller must be given back, whatever hangs behind the call.
            log.error("listener.not_closed", extra={**of_call(self._call), "reason": repr(error)})

    async def _hear(self, frame: Frame) -> None:
        if not self._deaf:
            await self._guarded(self._follow(frame), self._patience)

    async def _follow(self, frame: Frame) -> None:
        self._came_at = asyncio.get_running_loop().time()
        sound = await self._ear.hear(frame)
        for signal in sound.signals:
            self._reports.signal(signal)
        if self._keyed_ms is not None:
            await self._hear_out(sound, self._keyed_ms)
        elif not self._is_silence(sound):
            await self._act(self._judge(sound))

    def _is_silence(self, sound: Sound) -> bool:
        """Nobody speaks and no turn waits for its end, as most of the time: there is nothing to judge."""
        return not (sound.segment.speech or self._taker.in_turn or sound.partial or self._partial)

    async def _guarded(self, work: Awaitable[None], patience: Patience) -> None:
        try:
            with patience:
                await work
        except TimeoutError:
            self._fail(EngineDown(f"the recogniser did not answer for {HEARING_TIMEOUT_S:g} s"))
        except SpeechError as error:
            self._fail(error)
        except Exception as error:
            # Frames must be read on: they bring the keys and the hang-up.
            log.exception("listener.crashed", extra=of_call(self._call))
            self._fail(EngineDown(f"the recogniser failed: {error!r}"))

    async def _hear_out(self, sound: Sound, keyed_ms: int) -> None:
        if sound.now_ms - keyed_ms < (BESIDE_KEY_MS if sound.segment.speech else ONSET_MS):
            return
        spoke = self._taker.in_turn or bool(sound.partial)
        self._taker.drop(sound.now_ms)
        await self._finish()
        self._forget()
        if spoke:
            self._reports.false_alarm("keyed")

    def deafen(self, error: SpeechError) -> None:
        """The recogniser is of no use from the beginning."""
        self._fail(error)

    def _fail(self, error: SpeechError) -> None:
        """From here on only keys are heard; the dialogue decides what that means."""
        if self._deaf:
            return
        self._deaf = True
        self._forget()
        self._mouth.resume()
        self._reports.failed(error)

    def _judge(self, sound: Sound) -> Decision:
        if sound.partial != self._partial:
            self._partial = sound.partial
            self._reports.part(sound.partial)
        prompt = self._mouth.prompt
        now = Now(
            now_ms=sound.now_ms,
            speech=sound.segment.speech,
            partial=sound.partial,
            intent=self._intent,
            intent_of=self._intent_of,
            bot_speaking=prompt is not None,
            interruptible=not self.closing and prompt is not None and not prompt.protected_now,
            left_ms=prompt.left_of_question_ms if prompt is not None else 0,
            bot_text=prompt.say.text if prompt is not None else "",
            echo=sound.echo,
            rising=sound.segment.rising,
            certain=sound.segment.certain,
        )
        return self._taker.update(now, self.asks, from_ms=sound.segment.from_ms, to_ms=sound.segment.to_ms)

    async def _act(self, decision: Decision) -> None:
        match decision.act:
            case Act.NOTHING:
                self._think(decision.understand)
            case Act.PAUSE:
                self._mouth.pause()
            case Act.STOP:
                self._mouth.pause()
                self._reports.interrupted()
            case Act.GO_ON:
                self._resume(decision.why)
            case Act.RESUME:
                self._resume(decision.why)
                await self._drop(decision.why)
            case Act.DROP:
                await self._drop(decision.why)
            case Act.END | Act.TOO_LONG:
                await self._end(decision)

    def _resume(self, why: str) -> None:
        """Who nods has heard what was said: for him nothing starts again."""
        self._mouth.resume(restart=self.asks.resume == "restart" and why != "backchannel")

    def _think(self, text: str) -> None:
        if text:
            self._stop_thinking()
            self._thinking = asyncio.create_task(self._understand(text))

    async def _understand(self, text: str) -> None:
        try:
            intent = await self._reports.understand(text)
        except Exception as error:
            # Only a guess ahead of time: the turn's end asks again and reports what is wrong.
            log.debug("listener.early_guess_failed", extra={"reason": str(error)})
            return
        self._intent, self._intent_of = intent, text
        self._reports.understood(intent, text)

    def _stop_thinking(self) -> None:
        if self._thinking is not None:
            self._thinking.cancel()
            self._thinking = None

    async def _end(self, decision: Decision) -> None:
        lag = max(0, self._ear.now_ms - decision.to_ms)
        ended_at = self._came_at - lag / 1000
        transcript = await self._finish()
        if self._keyed_ms is not None:
            self._forget()
            self._reports.false_alarm("keyed")
            return
        intent = self._intent if transcript.text == self._intent_of else None
        self._forget()
        times = (decision.from_ms, decision.to_ms, lag, ended_at)
        self._reports.turn(TurnHeard(transcript, intent, *times, decision.why))

    async def _drop(self, why: str) -> None:
        await self._finish()
        self._forget()
        self._reports.false_alarm(why)

    async def _finish(self) -> Transcript:
        self._ending = True
        try:
            return await self._ear.finish()
        finally:
            self._ending = False

    def _forget(self) -> None:
        self._partial = self._intent_of = ""
        self._intent = self._keyed_ms = None
        self._stop_thinking()

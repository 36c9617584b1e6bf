"""The bot as it runs: calls in, conversations, records kept; calls out on request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from agi_bot.app.answering import EarlyMedia, answer_rules, discard, plan
from agi_bot.app.following import follow
from agi_bot.app.keeping import Keeper
from agi_bot.app.workshop import Workshop
from agi_bot.campaign.model import Task
from agi_bot.campaign.store import CallStore
from agi_bot.config import Settings
from agi_bot.contracts import EARLY_MEDIA, Call, Disposition, Pbx
from agi_bot.conversation import Conversation, Limits, Plan
from agi_bot.conversation.progress import Watcher, nobody
from agi_bot.conversation.prompter import render_ahead
from agi_bot.errors import AgiBotError
from agi_bot.flow import Dialogue, Flow
from agi_bot.flow.events import Say, Started
from agi_bot.logs import of_call
from agi_bot.privacy.recording import Recording
from agi_bot.record import CallRecord
from agi_bot.speech.answering import AnswerRules
from agi_bot.speech.turns import PRESETS
from agi_bot.switchboard import Assignment, Switchboard
from agi_bot.web.meter import Meter

log = logging.getLogger(__name__)

CLOSING_S = 30.0
"""How long a conversation may take to close after its longest time, s."""

STUCK_S = 60.0
"""A conversation that goes on so long after its longest time is ended from outside, s."""

NUMBER_VARIABLE = "BOT_NUMBER"
"""Every exchange's channel has it when we placed the call."""


class Bot:
    """Takes calls from ``pbx`` and places calls on it; one conversation a call.

    ``watch`` makes a watcher for each call (the demo's terminal).  ``placed`` knows the task
    of an attempt that another life of this bot has placed.  ``life`` is the name of this one
    (empty: calls are not noted before they end).
    """

    def __init__(
        self,
        settings: Settings,
        pbx: Pbx,
        workshop: Workshop,
        switchboard: Switchboard,
        store: CallStore,
        watch: Callable[[Call], Watcher] | None = None,
        placed: Callable[[str], Awaitable[Task | None]] | None = None,
        life: str = "",
    ) -> None:
        self._settings = settings
        turns = settings.turns
        self._turns = PRESETS[turns.preset].with_limits(turns.limits, barge_in=turns.barge_in)
        self._pbx = pbx
        self._workshop = workshop
        self._switchboard = switchboard
        self._watch = watch or (lambda call: nobody)
        self._placed = placed
        self._talking: set[str] = set()
        self.meter = Meter()
        self._calls: set[asyncio.Task[None]] = set()
        self._awaited: dict[str, asyncio.Future[CallRecord]] = {}
        self._plans: dict[str, Plan] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._early = EarlyMedia(settings.campaigns.early_media_folder)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        # Apart: no caller waits for his greeting until the calls that are over are masked.
        self._masking = ThreadPoolExecutor(1, thread_name_prefix="masking")
        self._keeper = Keeper(settings.privacy, store, self._masking, life)

    @property
    def running(self) -> int:
        """Conversations that are going on."""
        return len(self._calls)

    def talking(self, call_id: str) -> bool:
        """Whether the conversation of ``call_id`` goes on, or is being kept."""
        return call_id in self._talking

    async def serve(self) -> None:
        """Take calls until the exchange is stopped, then wait for the conversations that run."""
        await asyncio.to_thread(self._early.sweep)
        async for call in self._pbx.calls():
            task = asyncio.create_task(self._handle(call))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        await asyncio.gather(*self._calls, return_exceptions=True)

    def close(self) -> None:
        """Free the recordings' threads."""
        self._disk.shutdown()
        self._masking.shutdown()

    # --- a call ----------------------------------------------------------------------

    async def _handle(self, call: Call) -> None:
        self._talking.add(call.id)
        try:
            await self._have(call)
        finally:
            self._talking.discard(call.id)

    async def _have(self, call: Call) -> None:
        try:
            await self._remember(call)
            assignment = self._switchboard.pick(call)
            record = await self._converse(call, assignment)
        except AgiBotError as error:
            log.error("call.refused", extra={**of_call(call), "reason": str(error)})
            await self._refuse(call, error)
            return
        except Exception:
            log.exception("call.crashed", extra=of_call(call))
            await self._refuse(call, AgiBotError("crashed"))
            return
        try:
            record = await self._keeper.keep(record)
        except Exception:
            log.exception("call.not_kept", extra=of_call(call))
            self._tell_failure(call, AgiBotError("the call's record could not be kept"))
            return
        self.meter.ended(record)
        awaited = self._awaited.pop(call.id, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(record)

    async def _remember(self, call: Call) -> None:
        """Somebody answers a call that was placed before this bot was started: it has its task all the same."""
        if self._placed is None or NUMBER_VARIABLE not in call.variables or self._switchboard.expects(call.id):
            return
        task = await self._placed(call.id)
        if task is not None:
            log.warning("call.of_an_earlier_life", extra={**of_call(call), "task_id": task.task_id})
            self._switchboard.expect(call.id, task.flow, task.data)

    async def _converse(self, call: Call, assignment: Assignment) -> CallRecord:
        flow = assignment.flow
        record = self._new_record(call, assignment)
        self._keeper.begun(record)
        engines = await self._workshop.engines(flow)
        dialogue = Dialogue(flow, assignment.task, seed=call.id)
        limits = Limits(flow.longest_ms / 1000, self._turns)
        conversation = Conversation(
            call,
            dialogue,
            engines,
            record,
            limits=limits,
            recording=self._recording(call, self._now()),
            watcher=self._watch(call),
            plan=self._plans.pop(call.id, None),
        )
        log.info("call.begins", extra={**of_call(call), "flow": flow.name, "version": flow.version})
        try:
            async with asyncio.timeout(limits.max_call_s + STUCK_S):
                await conversation.run()
        except TimeoutError:
            # The conversation has its own limits; this is for what nobody thought of.
            log.error("call.stuck", extra=of_call(call))
        had = conversation.script
        if isinstance(had, Dialogue) and not conversation.void:
            record.result_class = had.result_class
        return record

    def _new_record(self, call: Call, assignment: Assignment) -> CallRecord:
        return CallRecord(
            call_id=call.id,
            flow=assignment.flow.name,
            language=assignment.flow.spoken,
            started_at=self._now(call.id),
            direction=assignment.direction,
            caller=call.caller,
            called=call.called,
            channel=call.channel,
            unique_id=call.unique_id,
            task=assignment.task,
            flow_version=assignment.flow.version,
        )

    def _recording(self, call: Call, started: datetime) -> Recording | None:
        store = self._settings.store
        if not store.record:
            return None
        path = store.recordings / f"{started:%Y-%m-%d}" / f"{started:%H%M%S}-{call.id}.{store.format}"
        return Recording(path, call.rate, self._disk, masked=self._settings.privacy.mask)

    async def _refuse(self, call: Call, error: AgiBotError) -> None:
        """Back to the dialplan at once: a call that we cannot serve must not wait."""
        self._keeper.failed(call.id)
        with suppress(AgiBotError):
            await call.set_result({"BOT_OUTCOME": "error"})
        with suppress(AgiBotError):
            await call.release()
        self._tell_failure(call, error)

    def _tell_failure(self, call: Call, error: AgiBotError) -> None:
        """Who placed the call waits no longer."""
        awaited = self._awaited.pop(call.id, None)
        if awaited is not None and not awaited.done():
            awaited.set_exception(error)

    # --- a call out ------------------------------------------------------------------

    async def call(
        self,
        number: str,
        flow: str,
        task: Mapping[str, object],
        *,
        caller_id: str = "",
        ring_timeout_s: float = 30.0,
        call_id: str = "",
        rules: AnswerRules | None = None,
        zone: ZoneInfo | None = None,
    ) -> tuple[Disposition, CallRecord | None]:
        """Call ``number`` and have the conversation; its record, when somebody answered.

        ``call_id`` (a UUID; none: a new one) names the call and its record.  ``rules`` tell what
        to do when no person answers (none: those of the settings).  ``zone``: where the person
        lives, by whose clock "tomorrow at three" is meant (none: that of the flows).
        Raises :class:`~agi_bot.switchboard.NoFlow`, :class:`~agi_bot.flow.TaskError`,
        :class:`~agi_bot.errors.PbxDown`, :class:`ValueError` for a number that cannot be dialled:
        nothing went out then.  Raises :class:`~agi_bot.app.following.CallFailed` after the answer.
        """
        call_id = call_id or str(uuid4())
        assignment = self._switchboard.expect(call_id, flow, task)
        record = self._awaited[call_id] = asyncio.get_running_loop().create_future()
        opening = asyncio.create_task(self._render_opening(assignment, call_id))
        wanted = rules or answer_rules(self._settings)
        if zone is not None:
            self._zones[call_id] = zone
        self._plans[call_id] = plan(wanted, assignment.flow, assignment.task, self._now(call_id))
        early = self._early.file(call_id, wanted)
        told = {"BOT_FLOW": flow, **({EARLY_MEDIA: str(early)} if early else {})}
        try:
            ringing = await self._pbx.originate(
                number,
                call_id=call_id,
                caller_id=caller_id,
                ring_timeout_s=ring_timeout_s,
                variables=told,
            )
            longest_s = assignment.flow.longest_ms / 1000 + CLOSING_S
            ended, had = await follow(ringing, record, lambda: self.talking(call_id), longest_s)
            return await self._listened(ended, early, assignment.flow), had
        finally:
            opening.cancel()
            if early is not None:
                discard(early)
            self._plans.pop(call_id, None)
            self._zones.pop(call_id, None)
            self._switchboard.forget(call_id)
            self._awaited.pop(call_id, None)

    async def _render_opening(self, assignment: Assignment, call_id: str) -> None:
        """While the line rings: the first words, with this person's name in them, are ready at the answer."""
        flow = assignment.flow
        dialogue = Dialogue(flow, assignment.task, seed=call_id)
        for action in dialogue.receive(Started(self._now(call_id))):
            if isinstance(action, Say):
                try:
                    await render_ahead(self._workshop.voice(flow)(action.voice, flow.spoken), action)
                except AgiBotError as error:
                    log.warning("call.opening_not_rendered", extra={"call_id": call_id, "reason": str(error)})

    async def _listened(self, ended: Disposition, early: Path | None, flow: Flow) -> Disposition:
        if early is None:
            return ended
        return await self._early.corrected(ended, early, await self._workshop.engines(flow), flow.spoken)

    def _now(self, call_id: str = "") -> datetime:
        """By the clock of the person who is called, else of the flows."""
        return datetime.now(self._zones.get(call_id) or ZoneInfo(self._settings.flows.timezone))

"""The bot as it runs: calls in, conversations, records kept; calls out on request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from agi_bot.app.keeping import Keeper
from agi_bot.app.workshop import Workshop
from agi_bot.campaign.store import CallStore
from agi_bot.config import Settings
from agi_bot.contracts import Call, Disposition, Pbx, Ringing
from agi_bot.conversation import Conversation, Limits
from agi_bot.conversation.progress import Watcher, nobody
from agi_bot.conversation.prompter import render_ahead
from agi_bot.errors import AgiBotError
from agi_bot.flow import Dialogue
from agi_bot.flow.events import Say, Started
from agi_bot.logs import of_call
from agi_bot.privacy.recording import Recording
from agi_bot.record import CallRecord
from agi_bot.speech.turns import PRESETS
from agi_bot.switchboard import Assignment, Switchboard

log = logging.getLogger(__name__)

ARRIVAL_S = 10.0
"""How long an answered call may take to come from the PBX to us, s."""

CLOSING_S = 30.0
"""How long a conversation may take to close after its longest time, s."""


class CallFailed(AgiBotError):
    """The call was answered, but the bot could not have the conversation."""


class Bot:
    """Takes calls from ``pbx`` and places calls on it; one conversation a call.

    ``watch`` makes a watcher for each call (the demo's terminal).
    """

    def __init__(
        self,
        settings: Settings,
        pbx: Pbx,
        workshop: Workshop,
        switchboard: Switchboard,
        store: CallStore,
        watch: Callable[[Call], Watcher] | None = None,
    ) -> None:
        self._settings = settings
        self._pbx = pbx
        self._workshop = workshop
        self._switchboard = switchboard
        self._watch = watch or (lambda call: nobody)
        self._calls: set[asyncio.Task[None]] = set()
        self._awaited: dict[str, asyncio.Future[CallRecord]] = {}
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        self._keeper = Keeper(settings.privacy, store, self._disk)

    @property
    def running(self) -> int:
        """Conversations that are going on."""
        return len(self._calls)

    async def serve(self) -> None:
        """Take calls until the exchange is stopped, then wait for the conversations that run."""
        async for call in self._pbx.calls():
            task = asyncio.create_task(self._handle(call))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        await asyncio.gather(*self._calls, return_exceptions=True)

    def close(self) -> None:
        """Free the recordings' thread."""
        self._disk.shutdown()

    # --- a call ----------------------------------------------------------------------

    async def _handle(self, call: Call) -> None:
        try:
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
        record = await self._keeper.keep(record)
        awaited = self._awaited.pop(call.id, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(record)

    async def _converse(self, call: Call, assignment: Assignment) -> CallRecord:
        flow = assignment.flow
        record = self._new_record(call, assignment)
        engines = await self._workshop.engines(flow)
        dialogue = Dialogue(flow, assignment.task, seed=call.id)
        conversation = Conversation(
            call,
            dialogue,
            engines,
            record,
            limits=Limits(flow.longest_ms / 1000, PRESETS[self._settings.turns.preset]),
            recording=self._recording(call, record.started_at),
            watcher=self._watch(call),
        )
        log.info("call.begins", extra={**of_call(call), "flow": flow.name, "version": flow.version})
        record = await conversation.run()
        record.result_class = dialogue.result_class
        return record

    def _new_record(self, call: Call, assignment: Assignment) -> CallRecord:
        return CallRecord(
            call_id=call.id,
            flow=assignment.flow.name,
            language=assignment.flow.language,
            started_at=datetime.now(ZoneInfo(self._settings.flows.timezone)),
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
        return Recording(path, call.rate, self._disk)

    async def _refuse(self, call: Call, error: AgiBotError) -> None:
        """Back to the dialplan at once: a call that we cannot serve must not wait."""
        with suppress(AgiBotError):
            await call.set_result({"BOT_OUTCOME": "error"})
        with suppress(AgiBotError):
            await call.release()
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
    ) -> tuple[Disposition, CallRecord | None]:
        """Call ``number`` and have the conversation; its record, when somebody answered.

        ``call_id`` (a UUID; none: a new one) names the call and its record.
        Raises :class:`~agi_bot.switchboard.NoFlow`, :class:`~agi_bot.flow.TaskError`,
        :class:`~agi_bot.errors.PbxDown`, :class:`ValueError` for a number that cannot be dialled:
        nothing went out then.  Raises :class:`CallFailed` after the answer.
        """
        call_id = call_id or str(uuid4())
        assignment = self._switchboard.expect(call_id, flow, task)
        record = self._awaited[call_id] = asyncio.get_running_loop().create_future()
        opening = asyncio.create_task(self._render_opening(assignment, call_id))
        try:
            ringing = await self._pbx.originate(
                number,
                call_id=call_id,
                caller_id=caller_id,
                ring_timeout_s=ring_timeout_s,
                variables={"BOT_FLOW": flow},
            )
            return await self._follow(ringing, record, assignment.flow.longest_ms / 1000 + CLOSING_S)
        finally:
            opening.cancel()
            self._switchboard.forget(call_id)
            self._awaited.pop(call_id, None)

    async def _render_opening(self, assignment: Assignment, call_id: str) -> None:
        """While the line rings: the first words, with this person's name in them, are ready at the answer."""
        flow = assignment.flow
        dialogue = Dialogue(flow, assignment.task, seed=call_id)
        for action in dialogue.receive(Started(datetime.now(ZoneInfo(self._settings.flows.timezone)))):
            if isinstance(action, Say):
                try:
                    await render_ahead(self._workshop.voices.find(action.voice, flow.language), action)
                except AgiBotError as error:
                    log.warning("call.opening_not_rendered", extra={"call_id": call_id, "reason": str(error)})

    async def _follow(
        self, ringing: Ringing, record: asyncio.Future[CallRecord], longest_s: float
    ) -> tuple[Disposition, CallRecord | None]:
        disposition = await ringing.outcome()
        if not disposition.answered:
            return disposition, None
        try:
            return disposition, await asyncio.wait_for(record, longest_s + ARRIVAL_S)
        except TimeoutError:
            return disposition, None
        except AgiBotError as error:
            raise CallFailed(error.message, cure=error.cure) from error

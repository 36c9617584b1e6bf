"""A call that came on the outbound socket: answered, given sound, handed back with results."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from uuid import uuid4

from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.call import How, Identity, PbxCall
from agi_bot.pbx.freeswitch.guard import Answered, answer, open_unicast, parked_again
from agi_bot.pbx.freeswitch.loan import Loan
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.freeswitch.unicast import Unicast
from agi_bot.pbx.media.clock import LineClock
from agi_bot.pbx.names import is_uuid, known_number
from esl import EslError, Event, Session, SessionGone

log = logging.getLogger(__name__)

ATTEMPT_VARIABLE = "BOT_ATTEMPT"
"""Set by our originate: the answered leg tells with it which attempt it belongs to."""

BACK = "agi_bot_back XML agi_bot"
"""Where the dialplan goes on when the bot's park is not inside the socket application any more."""

LOOK_S = 0.1
"""Seconds between two looks at whether sound still comes."""


class SocketLeg:
    """From ``connect`` to the closed socket; :meth:`run` is all there is."""

    def __init__(
        self,
        session: Session,
        clock: LineClock,
        options: FreeSwitchOptions,
        *,
        deliver: Callable[[PbxCall], None],
        known: Callable[[str], Mapping[str, str] | None],
    ) -> None:
        self._session = session
        self._options = options
        self._deliver = deliver
        self._known = known
        self._loan = Loan(session)
        self._media = Unicast(clock, options.inbox_frames)
        self._where = ("", 0)
        self._busy = 0
        """Applications and bridges that have the channel now; none: sound must come."""
        self._was_busy = False
        self._reparked = False

    async def run(self) -> None:
        """Serve the call to its end; whatever fails, the call goes back to the dialplan."""
        identity = identify(self._session, self._options.variables)
        try:
            await self._loan.take()
            await self._serve(await self._introduce(identity))
        except (CallGone, SessionGone):
            log.info("call.gone_before_sound", extra=identity.extra)
        except (PbxError, EslError, TimeoutError) as error:
            log.error("call.no_sound", extra={**identity.extra, "reason": str(error) or type(error).__name__})
        finally:
            self._media.close("the call is over")
            await self._loan.give_back()

    # --- the beginning ---

    async def _introduce(self, identity: Identity) -> Identity:
        attempt = self._session.variable(ATTEMPT_VARIABLE)
        expected = self._known(attempt) if attempt else None
        if attempt:  # a later visit of the same channel is another call
            await self._set(ATTEMPT_VARIABLE, "done")
        for name, value in (expected or {}).items():
            await self._set(name, value)
        if expected:
            identity = with_variables(identity, expected)
        await self._set("BOT_CALL_ID", identity.id)
        log.info("call.arrived", extra=identity.extra)
        return identity

    async def _serve(self, identity: Identity) -> None:
        answered = await answer(self._session, self._options.audio_wait_s)
        self._where = await self._media.open(self._options.media_host)
        await self._open_sound(answered)
        watching = [asyncio.create_task(work) for work in (self._digits(), self._recover(answered))]
        try:
            await self._talk(identity)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _open_sound(self, answered: Answered) -> None:
        self._media.expect(answered.read_rate)
        await open_unicast(answered, self._options.media_local, self._where)
        sounded = asyncio.create_task(self._media.sounded.wait())
        gone = asyncio.create_task(self._session.wait_ended())
        try:
            waiting = {sounded, gone}
            await asyncio.wait(waiting, timeout=self._options.audio_wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sounded.cancel()
            gone.cancel()
        if self._session.ended:
            raise CallGone("the caller hung up")
        if not self._media.sounded.is_set():
            cure = f"does the dialplan say 'async full', and can FreeSWITCH reach {self._where[0]}?"
            raise PbxError(f"no sound came within {self._options.audio_wait_s:g} s", cure=cure)

    # --- the middle ---

    async def _talk(self, identity: Identity) -> None:
        call = PbxCall(identity, self._media, self._options.finish_wait_s)
        try:
            self._deliver(call)
            await call.until_over(self._session.wait_ended(), lambda: self._media.close("hung up"))
            self._media.close(call.how.value if call.how else "the bot did not finish")
            await self._leave(call)
        except EslError as error:
            log.info("call.results_lost", extra={**identity.extra, "reason": str(error)})
        finally:
            self._media.close("the call is over")
            call.finished.set()
            how = call.how.value if call.how else self._media.reason
            strangers = {"strangers": self._media.strangers}
            log.info("call.left", extra={**identity.extra, "how": how, **asdict(self._media.counters), **strangers})

    async def _digits(self) -> None:
        with self._session.listen("DTMF") as events:
            async for event in events:
                self._media.press(event.get("DTMF-Digit"))

    async def _recover(self, answered: Answered) -> None:
        """Playback, a bridge or a codec change ended the sound: open it again when they are over.

        Quiet alone proves nothing: a telephone may send no packets while its owner is silent.
        """
        with self._session.listen(*_BUSY, *_FREE) as events:
            while not self._session.ended:
                await asyncio.sleep(LOOK_S)
                while (event := events.next_now()) is not None:
                    self._note(event)
                if self._lost():
                    answered = await self._reopen(answered)

    def _note(self, event: Event) -> None:
        change = _change(event.name, event.get("Application"))
        self._busy = max(0, self._busy + change)
        self._was_busy = self._was_busy or change > 0

    def _lost(self) -> bool:
        """FreeSWITCH refuses our sound, or is quiet after it was busy with something else."""
        quiet = self._was_busy and self._media.quiet_s > self._options.quiet_s
        return not self._busy and (self._media.refused or quiet)

    async def _reopen(self, answered: Answered) -> Answered:
        log.info("call.sound_lost", extra={"unique_id": self._session.uuid, "quiet_s": self._media.quiet_s})
        try:
            answered = await parked_again(answered, BACK, self._options.audio_wait_s)
            self._reparked = True
            await self._open_sound(answered)
            self._was_busy = False
        except (PbxError, EslError, TimeoutError) as error:
            log.warning("call.sound_not_back", extra={"unique_id": self._session.uuid, "reason": str(error)})
            await asyncio.sleep(self._options.quiet_s)
        return answered

    # --- the end ---

    async def _leave(self, call: PbxCall) -> None:
        await self._loan.give_back()
        for name, value in call.results.items():
            await self._set(name, value)
        await self._set("BOT_STATUS", status_of(call))
        if call.how is How.HANG_UP:
            await self._session.hang_up()
        elif call.how is How.TRANSFER and self._options.transfer_context:
            extension, _, context = call.results["BOT_TRANSFER"].partition("@")
            await self._go(f"{extension} XML {context or self._options.transfer_context}")
        elif not self._reparked:
            await self._session.resume()

    async def _go(self, where: str) -> None:
        """By the application, never by ``uuid_transfer``: see the hazard in loan.py."""
        await self._session.start("transfer", where)

    async def _set(self, name: str, value: str) -> None:
        if value:
            await self._session.set_variable(name, value)
        else:
            await self._session.session_api("uuid_setvar", name)


_BUSY = ("CHANNEL_EXECUTE", "CHANNEL_BRIDGE")
_FREE = ("CHANNEL_EXECUTE_COMPLETE", "CHANNEL_UNBRIDGE")
_OURS = ("socket", "park", "answer", "set")
"""Applications in which a channel still sends sound, or that end at once."""


def _change(name: str, application: str) -> int:
    if application in _OURS:
        return 0
    return 1 if name in _BUSY else -1


def status_of(call: PbxCall) -> str:
    """``BOT_STATUS`` of a call that the bot gives back: ``FAILED`` when it could not serve it."""
    if call.how is None:
        return "LOST"
    return "FAILED" if call.results.get("BOT_OUTCOME") == "error" else "OK"


def identify(session: Session, wanted: tuple[str, ...]) -> Identity:
    """Who calls, from the channel's data: numbers, name, uuid and the wanted variables.

    ``BOT_FLOW`` is the flow.  The id is that of our attempt, or a new one: a channel may come twice.
    """
    variables = {name: value for name in (*wanted, "BOT_NUMBER") if (value := session.variable(name))}
    attempt = session.variable(ATTEMPT_VARIABLE)
    attempt = attempt if is_uuid(attempt) else ""
    caller = session.data.get("Channel-Caller-ID-Number") or session.data.get("Caller-Caller-ID-Number", "")
    called = session.data.get("Channel-Destination-Number") or session.data.get("Caller-Destination-Number", "")
    return Identity(
        id=attempt or str(uuid4()),
        caller=session.variable("BOT_NUMBER") or known_number(caller),
        called=session.variable("BOT_NUMBER") or session.variable("bot_called") or called,
        channel=session.data.get("Channel-Name", ""),
        unique_id=session.uuid,
        variables={**variables, "flow": session.variable("BOT_FLOW")},
    )


def with_variables(identity: Identity, variables: Mapping[str, str]) -> Identity:
    """``identity`` with what its originate told."""
    told = {**identity.variables, **variables}
    flow = variables.get("BOT_FLOW", identity.variables.get("flow", ""))
    number = variables.get("BOT_NUMBER", identity.caller)
    told["flow"] = flow
    return Identity(identity.id, number, number, identity.channel, identity.unique_id, told)

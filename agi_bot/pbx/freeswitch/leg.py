"""A call that came on the outbound socket: answered, given sound, handed back with results."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from uuid import uuid4

from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.call import How, Identity, PbxCall
from agi_bot.pbx.freeswitch.carrier import Carrier
from agi_bot.pbx.freeswitch.guard import answer
from agi_bot.pbx.freeswitch.loan import Loan
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.names import is_uuid, known_number, one_line
from esl import EslError, Session, SessionGone

log = logging.getLogger(__name__)

ATTEMPT_VARIABLE = "BOT_ATTEMPT"
"""Set by our originate: the answered leg tells with it which attempt it belongs to."""

FAILED = "FAILED"
"""``BOT_STATUS`` of a call that the bot could not serve."""

HANG_UP_GRACE_S = 0.5
"""The end of the sound and the hang-up race; how long the hang-up is waited for, s."""


class SocketLeg:
    """From ``connect`` to the closed socket; :meth:`run` is all there is."""

    def __init__(
        self,
        session: Session,
        carrier: Carrier,
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
        self._carrier = carrier
        self._failed = False
        self._sound = carrier.sound
        self._sound.quiet_limit_s = options.lost_s

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
            await self._tell_failure()
        finally:
            self._sound.close("the call is over")
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
        await self._carrier.prepare()
        await self._carrier.open(await answer(self._session, self._options.audio_wait_s))
        watching = [asyncio.create_task(work) for work in (self._digits(), self._carrier.watch())]
        try:
            await self._talk(identity)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    # --- the middle ---

    async def _talk(self, identity: Identity) -> None:
        call = PbxCall(identity, self._sound, self._options.finish_wait_s)
        try:
            self._deliver(call)
            await call.until_over(self._gone(), self._end_sound)
            self._failed = self._sound_failed(identity)
            self._sound.close(call.how.value if call.how else "the bot did not finish")
            await self._leave(call)
        except EslError as error:
            log.info("call.results_lost", extra={**identity.extra, "reason": str(error)})
        finally:
            self._sound.close("the call is over")
            call.finished.set()
            how = call.how.value if call.how else self._sound.reason
            counted = {**asdict(self._sound.counters), **self._carrier.counted}
            log.info("call.left", extra={**identity.extra, "how": how, **counted})

    async def _gone(self) -> None:
        """The caller hung up, or the sound or the socket was lost for good."""
        waits = (self._session.wait_ended(), self._sound.ended.wait(), self._sound.broken.wait())
        waiting = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._session.wait_ended(), HANG_UP_GRACE_S)

    def _end_sound(self) -> None:
        """Nobody is heard any more: told as lost, unless the caller hung up."""
        if not self._session.ended:
            self._sound.lose(self._sound.reason)
        elif self._session.lost:
            self._sound.lose(f"the event socket of the call ended: {self._session.lost}")
        else:
            self._sound.close("hung up")

    def _sound_failed(self, identity: Identity) -> bool:
        """Whether the sound has ended while the call lives."""
        if self._sound.lost:
            log.error("call.sound_failed", extra={**identity.extra, "reason": self._sound.lost})
        return bool(self._sound.lost)

    async def _digits(self) -> None:
        with self._session.listen("DTMF") as events:
            async for event in events:
                self._sound.press(event.get("DTMF-Digit"))

    # --- the end ---

    async def _tell_failure(self) -> None:
        with suppress(EslError):
            await self._set("BOT_OUTCOME", "error")
            await self._set("BOT_STATUS", FAILED)
            await self._carrier.shut()

    async def _leave(self, call: PbxCall) -> None:
        await self._loan.give_back()
        if self._failed:
            call.results["BOT_OUTCOME"] = "error"
        await self._carrier.shut()
        for name, value in call.results.items():
            await self._set(name, value)
        await self._set("BOT_STATUS", status_of(call))
        if call.how is How.HANG_UP:
            await self._session.hang_up()
        elif call.how is How.TRANSFER and self._options.transfer_context:
            extension, _, context = call.results["BOT_TRANSFER"].partition("@")
            await self._go(f"{extension} XML {context or self._options.transfer_context}")
        elif not self._carrier.reparked:
            await self._session.resume()

    async def _go(self, where: str) -> None:
        """By the application, never by ``uuid_transfer``: see the hazard in loan.py."""
        await self._session.start("transfer", where)

    async def _set(self, name: str, value: str) -> None:
        if value:
            await self._session.set_variable(name, value)
        else:
            await self._session.session_api("uuid_setvar", name)


def status_of(call: PbxCall) -> str:
    """``BOT_STATUS`` of a call that the bot gives back: ``FAILED`` when it could not serve it."""
    if call.how is None:
        return "LOST"
    return FAILED if call.results.get("BOT_OUTCOME") == "error" else "OK"


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
        caller=one_line(session.variable("BOT_NUMBER") or known_number(caller)),
        called=one_line(session.variable("BOT_NUMBER") or session.variable("bot_called") or called),
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

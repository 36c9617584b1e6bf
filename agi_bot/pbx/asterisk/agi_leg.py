"""A call that came by FastAGI: answered, given sound by ``EXEC AudioSocket``, handed back with results."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.agi import commands
from agi_bot.pbx.agi.protocol import Reply, Request
from agi_bot.pbx.agi.server import Session
from agi_bot.pbx.asterisk.eagi_media import EagiMedia
from agi_bot.pbx.asterisk.loan import Loans, first_command
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.audiosocket import Line, MediaServer
from agi_bot.pbx.call import How, Identity, PbxCall
from agi_bot.pbx.handover import SCRIPT
from agi_bot.pbx.names import is_uuid, known_number

log = logging.getLogger(__name__)

ATTEMPT_VARIABLE = "BOT_ATTEMPT"
"""Set by our Originate: the answered leg tells with it which attempt it belongs to."""

PORT_VARIABLE = "AGI_BOT_PORT"
"""Where the dialplan finds the bot."""

NUMBER_VARIABLE = "BOT_NUMBER"
"""The number that our Originate dialled."""

RELAYED = "audiosocket"
"""AGI variable in which the EAGI relay tells the UUID of its audio connection."""

LENT = "agi-bot"
"""Script path that the shipped dialplan calls: only there is the line lent, and the loan ended afterwards."""

Redirect = Callable[[str, str], Coroutine[Any, Any, bool]]
"""Send a channel (name, target) elsewhere by AMI; answers whether that worked."""


class AgiLeg:
    """From the FastAGI header to the closed connection; :meth:`run` is all there is."""

    def __init__(
        self,
        session: Session,
        audio: MediaServer,
        options: AsteriskOptions,
        *,
        deliver: Callable[[PbxCall], None],
        known: Callable[[str], Mapping[str, str] | None],
        loans: Loans | None = None,
        redirect: Redirect | None = None,
    ) -> None:
        self._session = session
        self._call: PbxCall | None = None
        self._audio = audio
        self._options = options
        self._deliver = deliver
        self._known = known
        self._loans = loans
        self._redirect = redirect

    async def run(self) -> None:
        """Serve the call to its end.  Raises :class:`PbxError` when it cannot be served."""
        variables = self._session.request.variables
        relayed = variables.get(RELAYED, "")
        channel = variables.get("channel", "")
        uuid = UUID(relayed) if is_uuid(relayed) else uuid4()
        arriving = self._audio.expect(uuid)
        try:
            if relayed or self._session.request.script.strip("/") == LENT:
                await self._take_loan(channel)
            identity = await self._introduce()
            await self._serve(identity, arriving, uuid, relayed=bool(relayed))
        finally:
            self._audio.forget(uuid)
            if self._loans is not None:
                await self._loans.give_back(channel)
            self._session.close()
            if self._call is not None:
                self._call.finished.set()

    async def _take_loan(self, channel: str) -> None:
        await self._session.send(first_command(renewable=self._loans is not None))
        if self._loans is not None:
            self._loans.take(channel)

    async def _serve(self, identity: Identity, arriving: asyncio.Future[Line], uuid: UUID, *, relayed: bool) -> None:
        try:
            if relayed:
                await self._serve_relayed(identity, arriving)
            else:
                await self._serve_sound(identity, arriving, uuid)
        except CallGone:
            log.info("call.gone_before_sound", extra=identity.extra)
        except PbxError as error:
            log.error("call.no_sound", extra={**identity.extra, "reason": str(error)})

    async def _serve_relayed(self, identity: Identity, arriving: asyncio.Future[Line]) -> None:
        """EAGI: the relay (:mod:`agi_bot.pbx.eagi`) brings the caller's sound; the bot speaks by files."""
        await asyncio.wait({arriving}, timeout=self._options.audio_wait_s)
        if not arriving.done():
            raise PbxError("agi-bot-eagi made no audio connection", cure="does its AGI_BOT_AUDIO name our audio port?")
        line = arriving.result()
        media = EagiMedia(line, self._session, self._options.spool, keys_elsewhere=self._loans is not None)
        ending = asyncio.create_task(self._end_with_call(line))
        try:
            await self._talk(PbxCall(identity, media, self._options.finish_wait_s), line, None)
        finally:
            ending.cancel()

    async def _end_with_call(self, line: Line) -> None:
        """Asterisk keeps an EAGI script's sound open after a hang-up."""
        await self._session.hung_up.wait()
        line.close("hung up")

    async def _serve_sound(self, identity: Identity, arriving: asyncio.Future[Line], uuid: UUID) -> None:
        where = self._options.audio_at(self._audio.port)
        execute = commands.execute("AudioSocket", str(uuid), where)
        executing = asyncio.create_task(self._session.send(execute, timeout_s=None))
        try:
            line = await self._connected(arriving, executing, where)
            await self._talk(PbxCall(identity, line, self._options.finish_wait_s), line, executing)
        finally:
            executing.cancel()
            with contextlib.suppress(asyncio.CancelledError, PbxError):
                await executing

    async def _introduce(self) -> Identity:
        await self._answer()
        request = self._session.request
        attempt = await self._variable(ATTEMPT_VARIABLE) or ""
        expected = self._known(attempt) if attempt else None
        names = [*self._options.variables, *([NUMBER_VARIABLE] if attempt else [])]
        read = [(name, await self._variable(name)) for name in names]
        variables = {name: value for name, value in read if value is not None}
        if attempt:  # a later visit of the same channel is another call
            await self._session.send(commands.set_variable(ATTEMPT_VARIABLE, ""))
        identity = identify(request, {**variables, **(expected or {})}, attempt)
        await self._session.send(commands.set_variable("BOT_CALL_ID", identity.id))
        log.info("call.arrived", extra=identity.extra)
        return identity

    async def _answer(self) -> None:
        if not (await self._session.send(commands.answer())).ok:
            raise CallGone("the call could not be answered")

    async def _variable(self, name: str) -> str | None:
        reply = await self._session.send(commands.get_variable(name))
        return reply.value if reply.ok and reply.number == 1 else None

    async def _connected(self, arriving: asyncio.Future[Line], executing: asyncio.Task[Reply], where: str) -> Line:
        waiting: set[asyncio.Future[Any]] = {arriving, executing}
        wait_s = self._options.audio_wait_s
        await asyncio.wait(waiting, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if arriving.done():
            return arriving.result()
        if not executing.done():
            raise PbxError(f"Asterisk made no AudioSocket connection to {where} within {wait_s:g} s")
        reply = executing.result()
        if self._session.hung_up.is_set():
            raise CallGone("the caller hung up")
        raise PbxError(f"AudioSocket to {where} failed: {reply.text}", cure=_cure(reply))

    async def _talk(self, call: PbxCall, line: Line, executing: asyncio.Task[Reply] | None) -> None:
        identity = call.identity
        self._call = call
        try:
            self._deliver(call)
            await call.until_over(line.ended.wait())
            line.close(call.how.value if call.how else "the bot did not finish")
            if executing is not None:
                await self._regain(executing)
            await self._leave(call)
        except PbxError as error:
            log.info("call.results_lost", extra={**identity.extra, "reason": str(error)})
        finally:
            line.close("the call is over")
            how = call.how.value if call.how else line.reason
            log.info("call.left", extra={**identity.extra, "how": how, **asdict(line.counters)})

    async def _regain(self, executing: asyncio.Task[Reply]) -> None:
        """The connection's end makes Asterisk come back from AudioSocket; until then AGI is blocked."""
        await asyncio.wait({executing}, timeout=self._options.finish_wait_s)
        if not executing.done():
            raise PbxError("Asterisk did not come back from AudioSocket")

    async def _leave(self, call: PbxCall) -> None:
        """Tell the dialplan.  Variables can be set on a channel that hung up, too."""
        for name, value in call.results.items():
            await self._session.send(commands.set_variable(name, commands.fit(value)))
        if self._session.hung_up.is_set():
            return
        if call.how is How.HANG_UP:
            await self._session.send(commands.hang_up())
        elif call.how is How.TRANSFER and self._redirect is not None:
            await self._redirect(call.channel, call.results["BOT_TRANSFER"])


def identify(request: Request, variables: Mapping[str, str], attempt: str) -> Identity:
    """Who calls, from the AGI header, the channel's variables and the script's arguments.

    Arguments ``name=value`` become variables; the first plain one, else the script's path
    (``agi-bot`` and ``handover`` name no flow), else ``BOT_FLOW``, is the flow.
    """
    agi = request.variables
    named = dict(part.split("=", 1) for part in request.arguments if "=" in part)
    plain = [part for part in request.arguments if part and "=" not in part]
    script = request.script.strip("/")
    script = "" if script in (LENT, SCRIPT) else script
    flow = plain[0] if plain else script or variables.get("BOT_FLOW", "")
    caller = known_number(agi.get("callerid", ""))
    # Behind Gosub(agi-bot,s,1) the extension is "s", which nobody dialled.
    extension = agi.get("extension", "")
    called = known_number(agi.get("dnid", "")) or ("" if extension == "s" else extension)
    return Identity(
        id=attempt if is_uuid(attempt) else str(uuid4()),
        caller=variables.get(NUMBER_VARIABLE, caller) if attempt else caller,
        called=variables.get(NUMBER_VARIABLE, called) if attempt else called,
        channel=agi.get("channel", ""),
        unique_id=agi.get("uniqueid", ""),
        variables={**variables, **named, "flow": named.get("flow", flow)},
    )


def _cure(reply: Reply) -> str:
    if reply.number == -2:
        return "load the module: module load app_audiosocket.so (Asterisk 18 or newer)"
    return "can Asterisk reach that address? set the advertised host to one that it can"

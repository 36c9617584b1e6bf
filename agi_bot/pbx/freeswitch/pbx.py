"""FreeSWITCH behind the promise Pbx: outbound socket, unicast and inbound socket put together."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

from agi_bot.contracts import Call, Ringing
from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx.agi.commands import check_name, check_text
from agi_bot.pbx.audiosocket.clock import LineClock
from agi_bot.pbx.freeswitch.attempt import Attempt, Order
from agi_bot.pbx.freeswitch.call import FreeSwitchCall
from agi_bot.pbx.freeswitch.leg import SocketLeg
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from esl import Client, EslError, EventStream, Server, Session, backend

log = logging.getLogger(__name__)

ARRIVAL_S = 30.0
"""How long an answered leg may take to come from the dialplan to us, s."""

_VERSION = re.compile(r"\d+\.\d+\.\d+\S*")


class FreeSwitchPbx:
    """Keeps the promise :class:`agi_bot.contracts.Pbx`; without ``options.esl_password`` it only takes calls."""

    def __init__(self, options: FreeSwitchOptions) -> None:
        self.options = options
        transport = backend(options.backend)
        self.server = Server(
            self._serve,
            options.host,
            options.port,
            max_sessions=options.max_calls,
            timeout=options.command_timeout_s,
            transport=transport,
        )
        self.client = self._client() if options.esl_password else None
        self.port = options.port
        """Where calls come; the real one after :meth:`start`."""
        self._clock = LineClock()
        self._arriving: asyncio.Queue[FreeSwitchCall | None] = asyncio.Queue()
        self._calls: dict[str, FreeSwitchCall] = {}
        self._attempts: dict[str, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._version = ""

    @property
    def name(self) -> str:
        return "freeswitch"

    @property
    def version(self) -> str:
        return self._version

    @property
    def running(self) -> int:
        """Calls that are with the bot now."""
        return len(self._calls)

    async def start(self) -> None:
        try:
            _, self.port = await self.server.start()
            if self.client is not None:
                await self._start_client(self.client)
        except EslError as error:
            await self.close()
            raise PbxDown(f"FreeSWITCH cannot be used: {error}", cure=_CURE) from None
        except OSError as error:
            where = f"{self.options.host}:{self.options.port}"
            cure = "is another bot running? see freeswitch.listen_port"
            raise PbxDown(f"cannot listen on {where}: {error}", cure=cure) from None

    async def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            await self.server.stop()
            self._arriving.put_nowait(None)

    async def close(self) -> None:
        await self.stop()
        await asyncio.gather(*(call.release() for call in list(self._calls.values())))
        await self.server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.client is not None:
            await self.client.close()

    async def calls(self) -> AsyncIterator[Call]:
        while (call := await self._arriving.get()) is not None:
            yield call
        self._arriving.put_nowait(None)  # for whoever else is waiting

    async def originate(
        self,
        number: str,
        *,
        call_id: str,
        caller_id: str = "",
        ring_timeout_s: float = 30.0,
        variables: Mapping[str, str] | None = None,
    ) -> Ringing:
        order = self._order(number, call_id, caller_id, ring_timeout_s, variables or {})
        if self.client is None or not self.client.connected:
            raise PbxDown("calls are placed over the event socket, which is not connected", cure=_CURE)
        if call_id in self._attempts or call_id in self._calls:
            raise PbxError(f"call {call_id} is placed already")
        attempt = self._attempts[call_id] = Attempt(self.client, order)
        self._spawn(self._watch(attempt))
        return attempt

    # --- outbound ---

    def _order(
        self, number: str, call_id: str, caller_id: str, ring_timeout_s: float, variables: Mapping[str, str]
    ) -> Order:
        for text in (call_id, caller_id, *variables.values()):
            check_text(text)
        if caller_id and not _CALLER_ID.fullmatch(caller_id):
            raise ValueError(f"{caller_id!r} is not a caller id")
        told = {check_name(name): value for name, value in variables.items()}
        return Order(
            call_id=call_id,
            number=check_number(number),
            channel=self.options.channel.replace("{number}", number),
            target=f"{self.options.extension} XML {self.options.context}",
            ring_timeout_s=ring_timeout_s,
            caller_id=caller_id,
            variables={"BOT_NUMBER": number, **told},
        )

    async def _watch(self, attempt: Attempt) -> None:
        try:
            await attempt.run()
        finally:
            verdict = await attempt.outcome()
            told = {"cause": verdict.cause, "sip": verdict.sip, "detail": verdict.detail}
            log.info("attempt.ended", extra={"call_id": attempt.call_id, "status": verdict.status.value, **told})
            if verdict.answered:
                await asyncio.sleep(ARRIVAL_S)
            self._attempts.pop(attempt.call_id, None)

    def _known(self, attempt_id: str) -> Mapping[str, str] | None:
        attempt = self._attempts.pop(attempt_id, None)
        if attempt is None:
            return None
        attempt.arrived()
        return attempt.order.variables

    # --- inbound ---

    async def _serve(self, session: Session) -> None:
        self._version = self._version or session.data.get("FreeSWITCH-Version", "")
        await SocketLeg(session, self._clock, self.options, deliver=self._deliver, known=self._known).run()

    def _deliver(self, call: FreeSwitchCall) -> None:
        self._calls[call.id] = call
        self._spawn(self._forget(call))
        self._arriving.put_nowait(call)

    async def _forget(self, call: FreeSwitchCall) -> None:
        await call.finished.wait()
        if self._calls.get(call.id) is call:
            del self._calls[call.id]

    # --- the inbound socket ---

    def _client(self) -> Client:
        options = self.options
        return Client(
            options.esl_host,
            options.esl_port,
            options.esl_password,
            timeout=options.command_timeout_s,
            transport=backend(options.backend),
        )

    async def _start_client(self, client: Client) -> None:
        await client.connect()
        found = _VERSION.search(await client.api("version"))
        self._version = found[0] if found else ""
        self._spawn(self._hang_ups(await client.subscribe("CHANNEL_HANGUP_COMPLETE")))

    async def _hang_ups(self, events: EventStream) -> None:
        async for event in events:
            attempt = self._attempts.get(event.uuid)
            if attempt is not None:
                attempt.hung_up(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call.task_failed", exc_info=error)


_CURE = "look at freeswitch.host, port and password, and at FreeSWITCH's event_socket.conf.xml"
_CALLER_ID = re.compile(r"[\w+*# .@-]{1,64}")


def check_number(number: str) -> str:
    """``number`` when it can stand in a dial string, else :class:`ValueError`.

    Beyond line ends that is whatever has a meaning there: ``/ , | { } [ ] < > ' $ & ( ) : ^`` and spaces.
    """
    if not re.fullmatch(r"[\w+*#.@-]+", number):
        raise ValueError(f"{number!r} is not a number that can be dialled")
    return number

"""FreeSWITCH behind the promise Pbx: outbound socket, unicast and inbound socket put together."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping

from agi_bot.contracts import Call, Ringing
from agi_bot.errors import PbxDown
from agi_bot.pbx.desk import Desk
from agi_bot.pbx.freeswitch.attempt import Attempt, Order
from agi_bot.pbx.freeswitch.carriers import carriers
from agi_bot.pbx.freeswitch.leg import SocketLeg
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.names import check_name, check_text
from esl import Client, EslError, EventStream, Server, Session, backend

log = logging.getLogger(__name__)

PORT_VARIABLE = "agi_bot_port"
"""Where the dialplan finds the bot."""

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
        self._carriers = carriers(options)
        self._desk: Desk[Attempt] = Desk(options.take_wait_s)
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
        return self._desk.running

    @property
    def obstacle(self) -> str:
        return "" if self.client is not None and self.client.connected else "FreeSWITCH's event socket is not connected"

    async def start(self) -> None:
        try:
            await self._carriers.start()
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
        if not self._desk.stopped:
            self._desk.stop()
            await self.server.stop()

    async def close(self) -> None:
        await self.stop()
        await self._desk.release()
        await self.server.close()
        await self._carriers.close()
        await self._desk.close()
        if self.client is not None:
            await self.client.close()

    def calls(self) -> AsyncIterator[Call]:
        return self._desk.calls()

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
        return self._desk.place(Attempt(self.client, order))

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
            variables={"BOT_NUMBER": number, **self._way_here(), **told},
        )

    def _way_here(self) -> dict[str, str]:
        """On any free port the dialplan cannot know where we are: the call's own variable wins over the global one."""
        return {PORT_VARIABLE: str(self.port)} if self.options.port == 0 else {}

    # --- inbound ---

    async def _serve(self, session: Session) -> None:
        self._version = self._version or session.data.get("FreeSWITCH-Version", "")
        await SocketLeg(
            session, self._carriers.carrier(session), self.options, deliver=self._desk.deliver, known=self._desk.known
        ).run()

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
        self._desk.spawn(self._follow(await client.subscribe("CHANNEL_HANGUP_COMPLETE", "CHANNEL_PROGRESS_MEDIA")))

    async def _follow(self, events: EventStream) -> None:
        async for event in events:
            attempt = self._desk.attempt(event.uuid)
            if attempt is None:
                continue
            if event.name == "CHANNEL_PROGRESS_MEDIA":
                self._desk.spawn(attempt.hears())
            else:
                attempt.hung_up(event)


_CURE = "look at freeswitch.host, port and password, and at FreeSWITCH's event_socket.conf.xml"
_CALLER_ID = re.compile(r"[\w+*# .@-]{1,64}")


def check_number(number: str) -> str:
    """``number`` when it can stand in a dial string, else :class:`ValueError`.

    Beyond line ends that is whatever has a meaning there: ``/ , | { } [ ] < > ' $ & ( ) : ^`` and spaces.
    """
    if not re.fullmatch(r"[\w+*#.@-]+", number):
        raise ValueError(f"{number!r} is not a number that can be dialled")
    return number

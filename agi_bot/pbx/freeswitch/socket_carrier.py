"""Sound over a WebSocket, for installs that have mod_audio_fork (both ways) or mod_audio_stream."""

from __future__ import annotations

import logging

from agi_bot.errors import PbxError
from agi_bot.pbx.freeswitch.carrier import Carrier
from agi_bot.pbx.freeswitch.guard import BACK, Answered, parked_again
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.freeswitch.socket_sound import ForkSound, SocketSound
from agi_bot.pbx.freeswitch.stream_sound import PLAY_EVENT, StreamSound
from agi_bot.pbx.freeswitch.websocket import SoundServer
from agi_bot.pbx.media import LineClock, Sound
from esl import CommandFailed, EslError, Session

log = logging.getLogger(__name__)

SILENCE = "send_silence_when_idle"
"""Channel variable: a parked channel sends frames, into which mod_audio_fork mixes ours.  Read when the park begins
or, on a channel without sound yet, with the answer (``switch_ivr_park``)."""

USUAL_RATE = 8000


class SocketCarrier(Carrier):
    """Has the module connect to our server; ``api`` is the module's command."""

    api = ""
    cure = ""

    def __init__(self, session: Session, options: FreeSwitchOptions, server: SoundServer, sound: SocketSound) -> None:
        super().__init__(session, options)
        self._server = server
        self._sound = sound
        self._started = False
        self._was = ""

    @property
    def sound(self) -> Sound:
        return self._sound

    async def prepare(self) -> None:
        self._was = self.session.variable(SILENCE)
        await self.session.set_variable(SILENCE, "-1")

    async def open(self, answered: Answered) -> None:
        if self.session.data.get("Answer-State") != "ringing":
            answered = await parked_again(answered, BACK, self.options.audio_wait_s)
            self.reparked = True
        rate = answered.read_rate or USUAL_RATE
        self._sound.use_rate(rate)
        path = self._server.expect(self._sound)
        try:
            await self._start(f"ws://{self.options.media_host}:{self._server.port}{path}", rate)
            await self._first_sound(f"can FreeSWITCH reach {self.options.media_host}:{self._server.port}?")
        finally:
            self._server.forget(path)

    async def shut(self) -> None:
        if self._started and not self.session.ended:
            self._started = False
            await self._stop()
        if not self.session.ended:
            await self._restore()

    async def _restore(self) -> None:
        if self._was:
            await self.session.set_variable(SILENCE, self._was)
        else:
            await self.session.session_api("uuid_setvar", SILENCE)

    async def _start(self, url: str, rate: int) -> None:
        try:
            await self.session.session_api(self.api, self._order(url, rate))
        except CommandFailed as refusal:
            raise PbxError(f"{self.api} failed: {refusal.reply}", cure=self.cure) from None
        self._started = True

    def _order(self, url: str, rate: int) -> str:
        raise NotImplementedError

    async def _stop(self) -> None:
        """The connection's end ends it as well; by name it is gone before the dialplan goes on."""
        try:
            await self.session.session_api(self.api, "stop")
        except EslError as error:
            log.debug("carrier.not_stopped", extra={"unique_id": self.session.uuid, "reason": str(error)})


class ForkCarrier(SocketCarrier):
    """mod_audio_fork (jambonz/freeswitch-modules): both ways in one stream."""

    api = "uuid_audio_fork"
    cure = "load mod_audio_fork, or set freeswitch.media: unicast"

    def __init__(self, session: Session, options: FreeSwitchOptions, server: SoundServer, clock: LineClock) -> None:
        super().__init__(session, options, server, ForkSound(clock, options.inbox_frames))

    def _order(self, url: str, rate: int) -> str:
        # bug name, metadata, bidirectional audio, as a stream, its rate
        return f"start {url} mono {rate} audio_fork {{}} true true {rate}"


class StreamCarrier(SocketCarrier):
    """mod_audio_stream (its open version): heard by stream, spoken by files."""

    api = "uuid_audio_stream"
    cure = "load mod_audio_stream, or set freeswitch.media: unicast"

    def __init__(self, session: Session, options: FreeSwitchOptions, server: SoundServer, clock: LineClock) -> None:
        super().__init__(session, options, server, StreamSound(session, clock, options.inbox_frames))

    async def prepare(self) -> None:
        await super().prepare()
        await self.session.subscribe("CUSTOM", PLAY_EVENT)
        await self.session.set_variable("STREAM_SUPPRESS_LOG", "true")  # else every file is in FreeSWITCH's log

    def _order(self, url: str, rate: int) -> str:
        return f"start {url} mono {rate} {{}}"

"""Where the demo plays: on a private Asterisk, or on the built-in caller where none can be had."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from agi_bot.app.bot import Bot
from agi_bot.contracts import Pbx
from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.builtin import BuiltinCall
from agi_bot.demo.freeswitch import OwnFreeSwitch
from agi_bot.demo.installation import Installation
from agi_bot.demo.person import answer_one_call
from agi_bot.demo.phone.patient import Patient
from agi_bot.demo.phone.softphone import Softphone
from agi_bot.demo.phone.tape import save, stereo
from agi_bot.demo.ports import free_port
from agi_bot.errors import PbxError
from agi_bot.pbx.asterisk import AsteriskPbx
from agi_bot.pbx.simulated import SimulatedChannel
from agi_bot.shipped import shipped

NUMBER = "13800000000"

ROUTES = """
; The demo's "outbound routes": every number rings at the simulated person's telephone, but for empty ones, of which
; the network tells before any answer.  The cause alone (480) would say no more than "no answer".
[outbound]
exten => _139X.,1,Progress()
 same => n,Playback(${{DEMO_ANNOUNCEMENT}},noanswer)
 same => n,Hangup(19)
exten => _X.,1,Dial(PJSIP/self/sip:${{EXTEN}}@127.0.0.1:{port},30)
 same => n,Hangup(${{HANGUPCAUSE}})
"""


AFTER = """<include>
  <context name="default">
    <extension name="agi_bot_after">
      <condition field="destination_number" expression="^agi_bot_after$"><action application="hangup"/></condition>
    </extension>
  </context>
</include>
"""
"""Where the demo's calls go on after the bot."""


class Stage(Protocol):
    """Where the demo's call takes place."""

    @property
    def name(self) -> str:
        """As the report shows it."""

    @property
    def version(self) -> str:
        """The exchange's version."""

    async def open(self) -> Mapping[str, Any]:
        """Start it; answers the settings that the bot needs to work with it."""

    async def connect(self, pbx: Pbx) -> None:
        """The bot listens now."""

    async def close(self) -> None:
        """Stop everything."""


class Theatre(Stage, Protocol):
    """An exchange with a simulated person at a telephone, whom it calls."""

    @property
    def phone(self) -> Softphone:
        """The person's telephone."""


async def call_the_phone(
    phone: Softphone, bot: Bot, flow: str, task: Mapping[str, object], patient: Patient, tape: Path
) -> None:
    """The bot calls ``phone``, where ``patient`` answers; ``tape`` is what the telephone recorded.

    Raises :class:`~agi_bot.errors.PbxError` when nobody answered.
    """
    answering = asyncio.create_task(answer_one_call(phone, patient, tape))
    disposition, record = await bot.call(NUMBER, flow, task)
    if record is None:
        answering.cancel()
        raise PbxError(f"the demo's call was not answered: {disposition.status} {disposition.detail}")
    await asyncio.wait_for(answering, 10)


class AsteriskTheatre:
    """A private Asterisk with its own configuration, and a SIP telephone that it calls."""

    name = "asterisk"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.phone = Softphone(NUMBER)
        self._asterisk: Asterisk | None = None

    @property
    def version(self) -> str:
        return self._installation.version

    async def open(self) -> Mapping[str, Any]:
        await self.phone.start()
        plans = [shipped("dialplans", "asterisk", name) for name in ("agi-bot.conf", "agi-bot-outbound.conf")]
        routes = ROUTES.format(port=self.phone.port)
        self._asterisk = Asterisk(self._installation, dialplans=plans, dialplan=routes)
        await self._asterisk.start()
        layout = self._asterisk.layout
        ami = {"port": layout.ami, "user": layout.user, "secret": layout.secret}
        return {"pbx": "asterisk", "asterisk": {"agi_port": 0, "audio_port": 0, "ami": ami}}

    async def announce(self, sound: Path) -> None:
        """What the network plays to callers of numbers that do not exist (a WAV file)."""
        assert self._asterisk is not None
        await self._asterisk.set_global("DEMO_ANNOUNCEMENT", str(sound.with_suffix("")))

    async def connect(self, pbx: Pbx) -> None:
        assert isinstance(pbx, AsteriskPbx)
        assert self._asterisk is not None
        await self._asterisk.set_global("AGI_BOT_PORT", str(pbx.agi.port))

    async def close(self) -> None:
        await self.phone.close()
        if self._asterisk is not None:
            await self._asterisk.stop()


class FreeswitchTheatre:
    """An installed FreeSWITCH with a configuration of our own, and a SIP telephone that it calls."""

    name = "freeswitch"

    def __init__(self, binary: Path) -> None:
        self.phone = Softphone(NUMBER)
        self._folder = Path(tempfile.mkdtemp(prefix="agi-bot-freeswitch-"))
        self._port = free_port(socket.SOCK_STREAM)
        plan = self._folder / "after.xml"
        plan.write_text(AFTER, encoding="utf-8")
        plans = (shipped("dialplans", "freeswitch", "agi_bot.xml"), plan)
        settings = {"agi_bot_port": str(self._port)}
        self._freeswitch = OwnFreeSwitch(binary, self._folder / "freeswitch", dialplans=plans, settings=settings)
        self.version = ""

    async def open(self) -> Mapping[str, Any]:
        await self.phone.start()
        await self._freeswitch.start()
        return {
            "pbx": "freeswitch",
            "freeswitch": {
                "port": self._freeswitch.ports.esl,
                "password": self._freeswitch.password,
                "listen_port": self._port,
                "channel": f"sofia/bot/{{number}}@127.0.0.1:{self.phone.port}",
            },
        }

    async def connect(self, pbx: Pbx) -> None:
        self.version = pbx.version

    async def close(self) -> None:
        await self.phone.close()
        await self._freeswitch.stop()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


class BuiltinTheatre:
    """No exchange at all: the built-in caller speaks FastAGI and AudioSocket with the bot."""

    name = "builtin"
    version = ""

    def __init__(self) -> None:
        self._port = 0

    async def open(self) -> Mapping[str, Any]:
        return {"pbx": "asterisk", "asterisk": {"agi_port": 0, "audio_port": 0}}

    async def connect(self, pbx: Pbx) -> None:
        assert isinstance(pbx, AsteriskPbx)
        self._port = pbx.agi.port

    async def call(self, flow: str, task: Mapping[str, object], patient: Patient, tape: Path) -> None:
        """Have the conversation; ``tape`` is what the person's telephone recorded."""
        arguments = (flow, *(f"task_{name}={value}" for name, value in task.items()))
        channel = SimulatedChannel(caller=NUMBER, arguments=arguments)
        running = asyncio.create_task(channel.run("127.0.0.1", self._port))
        await asyncio.wait_for(channel.connected.wait(), 10)
        call = BuiltinCall(channel)
        talking = asyncio.create_task(patient.talk(call))
        await running
        call.close()
        await talking
        samples, _ = stereo(call.line.sent, call.line.received)
        await asyncio.to_thread(save, tape, samples)

    async def close(self) -> None:
        """Nothing was started."""

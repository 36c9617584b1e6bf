"""The demo: a private Asterisk calls a simulated person, and the bot has the conversation."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from agi_bot.app.bot import Bot
from agi_bot.app.exchange import asterisk_options
from agi_bot.app.running import running
from agi_bot.app.workshop import uses_demo_model
from agi_bot.config import Settings
from agi_bot.demo import provision, report
from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.crm import Crm
from agi_bot.demo.installation import Installation
from agi_bot.demo.person import answer_one_call, record_lines
from agi_bot.demo.phone.patient import Patient
from agi_bot.demo.phone.softphone import Softphone
from agi_bot.demo.scenario import Scenario
from agi_bot.demo.terminal import Terminal, summary
from agi_bot.errors import AgiBotError, PbxError
from agi_bot.pbx.asterisk import AsteriskPbx
from agi_bot.record import CallRecord
from agi_bot.shipped import shipped

NUMBER = "13800000000"

DEMO_MODEL = """\
Heard with the bundled demo model: made of synthetic speech, unfit for people.
For people: agi-bot models pull vosk-model-small-cn-0.22"""

ROUTES = """
; The demo's "outbound routes": every number rings at the simulated person's telephone.
[agi-bot-outbound]
exten => _X.,1,Dial(PJSIP/self/sip:${{EXTEN}}@127.0.0.1:{port},30)
 same => n,Hangup()
"""


class Demo:
    """One run of ``scenario``; everything it leaves lies in ``folder``."""

    def __init__(self, scenario: Scenario, folder: Path, console: Console) -> None:
        self._scenario = scenario
        self._folder = folder
        self._console = console
        self._phone = Softphone(NUMBER)
        self._patient = Patient([])

    async def run(self) -> dict[str, Any]:
        """Put the call through; the report's data.  Raises :class:`~agi_bot.errors.AgiBotError`."""
        installation = await self._installation()
        async with AsyncExitStack() as stack:
            self._patient.acts = await record_lines(self._scenario, self._folder)
            await self._phone.start()
            stack.push_async_callback(self._phone.close)
            asterisk = await stack.enter_async_context(self._asterisk(installation))
            crm = stack.enter_context(Crm())
            settings = self._settings(crm.url, asterisk)
            record = await self._call(stack, settings, asterisk)
        return self._report(record, asterisk.version, settings, crm)

    async def _installation(self) -> Installation:
        say = self._console.print
        found = await asyncio.to_thread(provision.provide, lambda line: say(f"[dim]{line}[/dim]"))
        say(f"[dim]Asterisk {found.version}, its own configuration, 127.0.0.1 only[/dim]")
        return found

    def _asterisk(self, installation: Installation) -> Asterisk:
        dialplans = [shipped("dialplans", "asterisk", "agi-bot.conf")]
        return Asterisk(installation, dialplans=dialplans, dialplan=ROUTES.format(port=self._phone.port))

    def _settings(self, hook_url: str, asterisk: Asterisk) -> Settings:
        ami = {"port": asterisk.layout.ami, "user": asterisk.layout.user, "secret": asterisk.layout.secret}
        return Settings.model_validate(
            {
                "asterisk": {"agi_port": 0, "audio_port": 0, "ami": ami},
                "flows": {"folder": shipped("flows")},
                "store": {
                    "database": self._folder / "agi-bot.db",
                    "recordings": self._folder / "recordings",
                    "format": "wav",
                },
                "speaking": {"cache": self._folder / "prompts"},
                "hooks": {"crm.reschedule": {"url": hook_url}},
            }
        )

    async def _call(self, stack: AsyncExitStack, settings: Settings, asterisk: Asterisk) -> CallRecord:
        pbx = AsteriskPbx(asterisk_options(settings))
        terminal = Terminal(self._console)
        parts = await stack.enter_async_context(running(settings, pbx, lambda call: terminal.watch))
        await pbx.start()
        await asterisk.set_global("AGI_BOT_PORT", str(pbx.agi.port))
        if uses_demo_model(settings, self._scenario.language):
            self._console.print(
                "[dim]Heard with the bundled demo model, made of synthetic speech and unfit for people;[/dim]"
            )
            self._console.print("[dim]for people: agi-bot models pull vosk-model-small-cn-0.22[/dim]")
        return await self._talk(parts.bot, settings)

    async def _talk(self, bot: Bot, settings: Settings) -> CallRecord:
        answering = asyncio.create_task(answer_one_call(self._phone, self._patient, self._folder / "telephone.wav"))
        self._console.print(f"Calling {self._scenario.name} …\n")
        now = datetime.now(ZoneInfo(settings.flows.timezone))
        disposition, record = await bot.call(NUMBER, self._scenario.flow, self._scenario.task(now))
        if record is None:
            answering.cancel()
            raise PbxError(f"the demo's call was not answered: {disposition.status} {disposition.detail}")
        await asyncio.wait_for(answering, 10)
        return record

    def _report(self, record: CallRecord, version: str, settings: Settings, crm: Crm) -> dict[str, Any]:
        data = report.report(
            record,
            pbx="asterisk",
            version=version,
            database=settings.store.database,
            extra={"telephone": str(self._folder / "telephone.wav"), "crm_received": crm.received},
        )
        path = report.write(self._folder, data)
        self._console.print()
        self._console.print(summary(record))
        self._console.print(f"slots      {data['slots']}")
        self._console.print(f"recording  {record.recording}  (caller left, bot right)")
        self._console.print(f"database   {settings.store.database}")
        self._console.print(f"report     {path}")
        return data


def run_demo(scenario: Scenario, folder: Path | None, console: Console) -> dict[str, Any]:
    """Run the demo into ``folder`` (none: a new temporary one)."""
    where = folder or Path(tempfile.mkdtemp(prefix="agi-bot-demo-"))
    try:
        return asyncio.run(Demo(scenario, where.resolve(), console).run())
    except OSError as error:
        raise AgiBotError(f"the demo cannot run: {error}") from error

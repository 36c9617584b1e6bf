"""The demo: a private exchange calls a simulated person, and the bot has the conversation."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from agi_bot.app.exchange import exchange
from agi_bot.app.outbound import Outbound, outbound
from agi_bot.app.running import running
from agi_bot.app.workshop import uses_demo_model
from agi_bot.config import Settings
from agi_bot.contracts import Call
from agi_bot.conversation.progress import Over, Progress, Watcher
from agi_bot.demo import report
from agi_bot.demo.crm import Crm
from agi_bot.demo.freeswitch import find_binary
from agi_bot.demo.order import client_of, ended, must, order
from agi_bot.demo.person import answering_once, record_lines
from agi_bot.demo.phone.patient import Patient
from agi_bot.demo.provision import NoAsterisk, provide
from agi_bot.demo.scenario import Scenario
from agi_bot.demo.terminal import Terminal, summary
from agi_bot.demo.theatre import NUMBER, AsteriskTheatre, BuiltinTheatre, FreeswitchTheatre, Stage
from agi_bot.errors import AgiBotError, PbxDown, PbxError
from agi_bot.record import CallRecord
from agi_bot.shipped import shipped

DEMO_MODEL = """\
[dim]Heard with the bundled demo model: made of synthetic speech, unfit for people.
For people: agi-bot models pull vosk-model-small-cn-0.22[/dim]"""


CUSTOMER = "12345"


class Demo:
    """One run of ``scenario`` in ``theatre``; everything it leaves lies in ``folder``."""

    def __init__(self, scenario: Scenario, theatre: Stage, folder: Path, console: Console) -> None:
        self._scenario = scenario
        self._theatre = theatre
        self._folder = folder
        self._console = console
        self._terminal = Terminal(console)
        self._records: list[CallRecord] = []
        self._task: dict[str, Any] | None = None

    async def run(self) -> dict[str, Any]:
        """Put the call through; the report's data.  Raises :class:`~agi_bot.errors.AgiBotError`."""
        async with AsyncExitStack() as stack:
            patient = Patient(await record_lines(self._scenario, self._folder))
            stack.push_async_callback(self._theatre.close)
            crm = stack.enter_context(Crm())
            settings = self._settings(crm.url, await self._theatre.open())
            await self._talk(settings, patient)
        if not self._records:
            raise PbxError("the demo's call never reached the bot", cure="run it again with --log-level info")
        return self._report(self._records[-1], settings, crm)

    def _settings(self, hook_url: str, exchange_settings: Mapping[str, Any]) -> Settings:
        return Settings.model_validate(
            {
                **exchange_settings,
                "flows": {"folder": shipped("flows")},
                "store": {
                    "database": self._folder / "agi-bot.db",
                    "recordings": self._folder / "recordings",
                    "format": "wav",
                },
                "speaking": {"cache": self._folder / "prompts"},
                "hooks": {"crm.reschedule": {"url": hook_url, "allow_private": True}},
                "campaigns": {"enabled": True, "hours": ["00:00-23:59:59.999999"]},
                "web": {"enabled": True, "port": 0},
                "outbox": {"url": hook_url, "allow_private": True},
            }
        )

    async def _talk(self, settings: Settings, patient: Patient) -> None:
        pbx = exchange(settings)
        async with running(settings, pbx, self._watch) as parts:
            await pbx.start()
            await self._theatre.connect(pbx)
            if uses_demo_model(settings, self._scenario.language):
                self._console.print(DEMO_MODEL, soft_wrap=True)
            self._console.print(f"Calling {self._scenario.name} …\n")
            now, tape = datetime.now(ZoneInfo(settings.flows.timezone)), self._folder / "telephone.wav"
            if isinstance(self._theatre, BuiltinTheatre):
                await self._theatre.call(self._scenario.flow, self._scenario.task(now), patient, tape)
                return
            assert isinstance(self._theatre, AsteriskTheatre | FreeswitchTheatre)
            async with outbound(settings, parts) as bot, answering_once(self._theatre.phone, patient, tape):
                await self._order(bot, now)

    async def _order(self, bot: Outbound, now: datetime) -> None:
        """As a CRM does it: the customer, the task, and at the end what became of it."""
        task = {"customer_id": CUSTOMER, "script_id": self._scenario.flow, "call_time": _local(now)}
        async with client_of(bot) as client:
            told = await order(client, self._scenario.customer(NUMBER, now), task)
            self._console.print(f"POST {told['url']}\n     {json.dumps(task)}", soft_wrap=True, highlight=False)
            self._console.print(f"     {told['status']} {told['task_id']}\n", highlight=False)
            kept = await ended(client, told["task_id"])
            await _told(bot)
            metrics = must(await client.get("/metrics")).text
        await asyncio.to_thread((self._folder / "metrics.txt").write_text, metrics, "utf-8")
        self._task = {**told, "state": kept["state"], "reason": kept["reason"], "attempts": kept["attempts"]}
        if not self._records:
            attempts = ", ".join(f"{one['how']} {one['detail']}" for one in kept["attempts"])
            raise PbxError(f"the demo's call was not answered: {attempts or kept['reason']}")

    def _watch(self, call: Call) -> Watcher:
        def watch(event: Progress) -> None:
            if isinstance(event, Over):
                self._records.append(event.record)
            self._terminal.watch(event)

        return watch

    def _report(self, record: CallRecord, settings: Settings, crm: Crm) -> dict[str, Any]:
        data = report.report(
            record,
            pbx=self._theatre.name,
            version=self._theatre.version,
            database=settings.store.database,
            extra={"task": self._task, "telephone": str(self._folder / "telephone.wav"), "crm_received": crm.received},
        )
        path = report.write(self._folder, data)
        say = self._console.print
        say()
        say(summary(record))
        say(f"slots      {data['slots']}", soft_wrap=True)
        say(f"recording  {record.recording}  (caller left, bot right)", soft_wrap=True)
        say(f"database   {settings.store.database}", soft_wrap=True)
        say(f"report     {path}", soft_wrap=True)
        return data


def _local(now: datetime) -> str:
    return now.replace(microsecond=0, tzinfo=None).isoformat()


async def _told(bot: Outbound) -> None:
    """The CRM takes its time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while "waiting" in await bot.office.outbox.backlog():  # noqa: ASYNC110 - the sender is another part
                await asyncio.sleep(0.1)


def asterisk_or_builtin(say: Callable[[str], None]) -> Stage:
    """A private Asterisk; the built-in caller where none can be had, with one line that says so."""
    try:
        found = provide(say)
    except NoAsterisk as error:
        say(f"No Asterisk ({error.message}): the built-in caller takes its place, over the same AudioSocket protocol.")
        return BuiltinTheatre()
    say(f"Asterisk {found.version}, its own configuration, 127.0.0.1 only")
    return AsteriskTheatre(found)


def freeswitch(say: Callable[[str], None]) -> Stage:
    """The FreeSWITCH that is installed.  Raises :class:`~agi_bot.errors.PbxDown` when there is none."""
    binary = find_binary()
    if binary is None:
        cure = "install it, or name its binary: FREESWITCH=/path/to/freeswitch"
        raise PbxDown("no FreeSWITCH on this machine", cure=cure)
    say(f"FreeSWITCH {binary}, its own configuration, 127.0.0.1 only")
    return FreeswitchTheatre(binary)


def theatre_of(pbx: str, say: Callable[[str], None]) -> Stage:
    """Where to play: ``asterisk`` or ``freeswitch``.  Raises :class:`~agi_bot.errors.AgiBotError`."""
    known = {"asterisk": asterisk_or_builtin, "freeswitch": freeswitch}
    if pbx not in known:
        raise AgiBotError(f"--pbx {pbx}: unknown", cure=f"one of {', '.join(known)}")
    return known[pbx](say)


def run_demo(scenario: Scenario, folder: Path | None, console: Console, theatre: Stage) -> dict[str, Any]:
    """Run the demo into ``folder`` (none: a new temporary one)."""
    where = (folder or Path(tempfile.mkdtemp(prefix="agi-bot-demo-"))).resolve()
    try:
        return asyncio.run(Demo(scenario, theatre, where, console).run())
    except OSError as error:
        raise AgiBotError(f"the demo cannot run: {error}") from error

"""The stage of ``agi-bot rehearse``: lines typed by an author, or WAV files, and what the bot makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.markup import escape

from agi_bot.contracts import Interpreter, Value
from agi_bot.errors import ConfigError
from agi_bot.flow import Flow
from agi_bot.flow.events import HungUp, Noticed, RunHook, Silent, TooLong, lacking
from agi_bot.flow.rehearsal import Answering, HookAnswer, Rehearsal, Reply

HELP = """\
  text            the caller says it        (empty line)   the caller says nothing
  /keys 1         the caller presses keys   /hangup        the caller hangs up
  /mood hesitant  how the caller feels      /long          the longest time has passed
  /hook NAME X    a hook answers X: JSON, text, or fails
  /slots /where   what is known, where the flow is
  /again          begin anew                /quit          leave"""
FAILS = "fails"


class Sound(Protocol):
    """Speech in and out, where a rehearsal has it."""

    async def speak(self, text: str) -> str:
        """Where ``text`` was spoken to."""

    async def hear(self, name: str) -> str:
        """The words in the sound file ``name``."""


class Stage:
    """One rehearsal after the other over ``flow``."""

    def __init__(
        self,
        flow: Flow,
        interpreter: Interpreter,
        task: Mapping[str, Value],
        now: datetime,
        answers: dict[str, Any],
        fallback: Answering,
        console: Console,
    ) -> None:
        self._flow = flow
        self._interpreter = interpreter
        self._task = task
        self._now = now
        self._answers = answers
        self._fallback = fallback
        self._console = console
        self._remarks: list[str] = []
        self._rehearsal = self._new()

    async def run(self, lines: TextIO, sound: Sound | None = None) -> None:
        """Take ``lines`` until the call ends, or there are no more."""
        typed = lines.isatty()
        if typed:
            self._console.print(HELP, style="dim", markup=False)
        await self._tell(await self._rehearsal.start(), sound)
        while not self._rehearsal.dialogue.ended:
            if typed:
                self._console.print("[bold green]caller[/bold green] ", end="")
            line = lines.readline()
            if not line or line.strip() == "/quit":
                return
            await self._act(line.strip(), sound)
        self._end()

    def _new(self) -> Rehearsal:
        return Rehearsal(self._flow, self._interpreter, self._task, now=self._now, answering=self._answer)

    async def _act(self, line: str, sound: Sound | None) -> None:
        command, _, rest = line.partition(" ")
        match command:
            case "/slots":
                self._console.print(_facts(self._rehearsal.dialogue.slots) or "(none)", markup=False)
            case "/where":
                self._where()
            case "/mood":
                self._rehearsal.dialogue.receive(Noticed(frozenset(rest.split())))
            case "/hook":
                self._agree(*rest.partition(" ")[::2])
            case "/help":
                self._console.print(HELP, markup=False)
            case _:
                await self._tell(await self._happen(command, rest, line, sound), sound)

    async def _happen(self, command: str, rest: str, line: str, sound: Sound | None) -> Reply:
        match command:
            case "":
                return await self._rehearsal.happen(Silent(), "silence")
            case "/keys":
                return await self._rehearsal.press(rest.strip())
            case "/hangup":
                return await self._rehearsal.happen(HungUp(), "hangs up")
            case "/long":
                return await self._rehearsal.happen(TooLong(), "longest call")
            case "/again":
                self._rehearsal = self._new()
                return await self._rehearsal.start()
        if sound is not None and line.lower().endswith((".wav", ".flac")):
            line = await sound.hear(line)
        return await self._rehearsal.say(line)

    def _agree(self, name: str, answer: str) -> None:
        try:
            self._answers[name] = hook_answer(answer or FAILS)
        except ConfigError as error:
            self._console.print(f"       {error}", markup=False)

    async def _answer(self, hook: RunHook) -> HookAnswer:
        if hook.name not in self._answers:
            self._tell_unanswered(hook)
            return await self._fallback(hook)
        given = self._answers[hook.name]
        values = None if given == FAILS else given if isinstance(given, dict) else {"answer": given}
        if missing := lacking(hook.saves, values or {}) if values is not None else []:
            self._remarks.append(f"hook {hook.name}: the answer lacks {', '.join(missing)}, so it has failed")
        return values

    def _tell_unanswered(self, hook: RunHook) -> None:
        """Nobody is asked in a rehearsal: what comes of it must not be taken for the hook's own doing."""
        if hook.name.startswith("knowledge:"):
            return
        example = json.dumps(dict.fromkeys(hook.saves, "..."))
        effect = "so it has failed" if hook.saves else "it is taken as done"
        self._remarks.append(f"hook {hook.name}: nothing answers in a rehearsal, {effect}; /hook {hook.name} {example}")

    async def _tell(self, reply: Reply, sound: Sound | None) -> None:
        if reply.intent is not None:
            named = reply.intent.name or "not understood"
            found = ", ".join(f"{entity.kind}={entity.value}" for entity in reply.intent.entities)
            self._console.print(f"       heard: {reply.did}", style="dim", markup=False)
            self._console.print(f"       → {named} {reply.intent.confidence:.2f} {found}", style="dim", markup=False)
        for hook in reply.hooks:
            self._console.print(f"       hook {hook}", style="dim", markup=False)
        for remark in self._remarks:
            self._console.print(f"       {remark}", style="dim", markup=False)
        self._remarks.clear()
        if reply.said:
            self._console.print(f"[bold cyan]bot   [/bold cyan] {escape(reply.said)}")
            if sound is not None:
                self._console.print(f"       spoken into {await sound.speak(reply.said)}", style="dim", markup=False)
        if not self._rehearsal.dialogue.ended:
            self._where()

    def _where(self) -> None:
        listen = self._rehearsal.replies[-1].listen if self._rehearsal.replies else None
        parts = [f"step {self._rehearsal.dialogue.step}"]
        if listen is not None:
            parts += [f"expects {', '.join(listen.expected)}"] if listen.expected else []
            parts += [f"wants {', '.join(listen.wanted)}"] if listen.wanted else []
        slots = _facts(self._rehearsal.dialogue.slots)
        self._console.print(f"       {' · '.join([*parts, *([slots] if slots else [])])}", style="dim", markup=False)

    def _end(self) -> None:
        dialogue = self._rehearsal.dialogue
        facts = [f"outcome {dialogue.outcome}"]
        facts += [f"transfer to {dialogue.transfer_to}"] if dialogue.transfer_to else []
        facts += [f"class {dialogue.result_class}"] if dialogue.result_class else []
        facts += [f"tags {', '.join(dialogue.tags)}"] if dialogue.tags else []
        slots = _facts(dialogue.slots)
        self._console.print(" · ".join([*facts, *([slots] if slots else [])]), style="bold", markup=False)


def hook_answer(text: str) -> Any:
    """What a hook is to answer: a JSON value, plain words, or :data:`FAILS`.  Raises ConfigError for broken JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        if text.lstrip()[:1] in ("{", "[", '"'):
            raise ConfigError(
                f"the hook's answer {text} is not JSON: {error}",
                cure="""for example '{"left": 3}', names in double quotes""",
            ) from None
        return text


def _facts(slots: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value}" for name, value in slots.items())

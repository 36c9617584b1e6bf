"""What the commands for script authors share: finding flows, and the world they are checked against."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from agi_bot.app.understanding import Understanding
from agi_bot.config import Settings
from agi_bot.contracts import Interpreter
from agi_bot.errors import FlowError, NluError
from agi_bot.flow import BrokenFlow, Flow, Problem, load
from agi_bot.flow.check import NluFacts, check
from agi_bot.flow.events import RunHook
from agi_bot.flow.problem import in_order
from agi_bot.flow.references import listed, near
from agi_bot.flow.rehearsal import Answering, HookAnswer
from agi_bot.flow.testcase import FOLDER
from agi_bot.nlu.data import NluData
from agi_bot.nlu.knowledge import KnowledgeShelf, aside
from agi_bot.shipped import shipped
from agi_bot.speech.voices import Voices

KNOWLEDGE = "knowledge"
"""Folder of the knowledge files, beside the flows."""


class Desk:
    """Flows and everything beside them, as ``settings`` say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._understanding = Understanding(settings)
        self._voices: list[tuple[str, str]] | None = None
        self._names: list[tuple[str, Path]] | None = None

    @property
    def folder(self) -> Path:
        """The folder of the flows."""
        return self._settings.flows.folder

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The flow files that ``paths`` name: files, names of flows, folders to search; none: all flows.

        A test file, and a folder of tests, stand for the flows that they are about.
        Raises :class:`~agi_bot.errors.FlowError` for a path that is not there.
        """
        found = [file for path in paths or [self.folder] for file in self._meant(path)]
        return list(dict.fromkeys(found))

    def _meant(self, path: Path) -> list[Path]:
        if path.is_dir():
            return _tested(path) if FOLDER in path.resolve().parts[-1:] else _below(path)
        if path.is_file():
            return [_flow_of(path)]
        if (named := self._named(str(path))) is not None:
            return [named]
        raise FlowError(
            f"{path}: there is no such file or folder, and no flow of that name", cure=self._near(str(path))
        )

    def find(self, name: str) -> Flow:
        """The flow in the file ``name``, or the one called ``name``.  Raises FlowError."""
        path = Path(name) if Path(name).is_file() else self._named(name)
        if path is None:
            raise FlowError(f"there is no flow {name}", cure=self._near(name))
        return load(path)

    def _named(self, name: str) -> Path | None:
        if not self.folder.is_dir():
            return None
        files = _below(self.folder)
        by_file = next((path for path in files if path.stem == name), None)
        return by_file or next((path for path in files if _name_in(path) == name), None)

    def _near(self, name: str) -> str:
        if not self.folder.is_dir():
            return f"the folder of the flows, {self.folder}, is not there: see flows.folder in agi-bot.yml"
        known = [path.stem for path in _below(self.folder)]
        return near(name, known) or f"{self.folder} has {listed(known)}"

    def problems(self, path: Path) -> list[Problem]:
        """Everything wrong with the flow in ``path``.  Raises :class:`~agi_bot.errors.NluError`."""
        try:
            flow = load(path)
        except BrokenFlow as broken:
            return in_order(broken.problems)
        return self.check(flow)

    def check(self, flow: Flow) -> list[Problem]:
        """The checker's findings, against training data, voices and hooks of this installation."""
        return check(
            flow,
            nlu=self.nlu(flow),
            voices=self.voices(flow.language),
            transfers=set(self._settings.flows.transfers) or None,
            knowledge=self._shelf(flow).names(),
            beside=_beside(flow),
            hooks=set(self._settings.hooks) if "hooks" in self._settings.model_fields_set else None,
            flows={name: self._known(name) for name in flow.script.languages.values() if name != flow.name},
            speak={tag: self.voices(tag) for tag in flow.script.languages},
            twins=self._twins(flow),
        )

    def _twins(self, flow: Flow) -> list[str]:
        """Other files of the flows' folder with a flow of this name."""
        own = Path(flow.file).resolve()
        if flow.script.part or not own.is_relative_to(self.folder.resolve()):
            return []
        if self._names is None:
            self._names = [(_name_in(path), path) for path in _below(self.folder)]
        return [str(path) for name, path in self._names if name == flow.name and path.resolve() != own]

    def nlu(self, flow: Flow) -> NluFacts:
        """The training data that the flow will have."""
        return _facts(tuple(self._understanding.data_of(flow)))

    def voices(self, language: str) -> set[str]:
        """Names of the voices of ``language``."""
        if self._voices is None:
            entries = Voices.load(self._settings.speaking.voices).entries
            self._voices = [(entry.name, entry.language) for entry in entries]
        return {name for name, spoken in self._voices if spoken.split("-")[0] == language.split("-")[0]}

    def _known(self, name: str) -> Flow | None:
        try:
            return self.find(name)
        except FlowError:
            return None

    async def interpreter(self, flow: Flow) -> Interpreter:
        """What understands the caller of ``flow``.  Raises :class:`~agi_bot.errors.NluError`."""
        return await self._understanding.of(flow)

    async def answering(self, flow: Flow) -> Answering:
        """Answers questions from the knowledge of ``flow``; every other hook works and gives nothing."""
        shelf = self._shelf(flow, aside(await self._understanding.data(flow)))

        async def answer(hook: RunHook) -> HookAnswer:
            kind, _, name = hook.name.partition(":")
            try:
                return await shelf.run(name, hook.arguments) if kind == "knowledge" else {}
            except NluError:
                return None

        return answer

    def _shelf(self, flow: Flow, background: Sequence[str] = ()) -> KnowledgeShelf:
        folders = [Path(flow.home) / KNOWLEDGE, shipped("flows", "shared") / KNOWLEDGE]
        return KnowledgeShelf(folders, {flow.language: background})


def _beside(flow: Flow) -> set[str]:
    """Knowledge beside the flow that no other flow of the folder mentions."""
    others = [path for path in Path(flow.home).glob("*.yaml") if path != Path(flow.file)]
    texts = "".join(path.read_text(encoding="utf-8", errors="replace") for path in others)
    names = KnowledgeShelf([Path(flow.home) / KNOWLEDGE]).names()
    return {name for name in names if not re.search(rf"knowledge:\s*{re.escape(name)}\b", texts)}


def _name_in(path: Path) -> str:
    """The name of the flow in ``path``, empty for a sub-flow; the file need not be sound."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"""^\ufeff?flow:[ \t]*["']?(\w+)""", text, re.MULTILINE)
    return found[1] if found and not re.search(r"^part:[ \t]*true\b", text, re.MULTILINE) else ""


@lru_cache(maxsize=32)
def _facts(files: tuple[Path, ...]) -> NluFacts:
    data = NluData.load(files)
    examples = {intent: [example.text for example in data.examples(intent)] for intent in data.intents}
    return NluFacts(examples, data.entities)


def _flow_of(path: Path) -> Path:
    """The flow beside the tests in ``path``; any other file, and tests without a flow, as they are."""
    flow = path.resolve().parent.parent / f"{path.name.split('.')[0]}.yaml"
    if path.resolve().parent.name != FOLDER or not flow.is_file():
        return path
    return path.parent.parent / flow.name if len(path.parts) > 2 else flow


def _tested(folder: Path) -> list[Path]:
    return [_flow_of(path) for path in sorted(folder.rglob("*.yaml"))]


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.yaml") if FOLDER not in path.relative_to(folder).parts)

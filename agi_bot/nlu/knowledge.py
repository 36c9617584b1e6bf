"""Answers to callers' questions, found as intents are: every entry of a knowledge file is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.contracts import Value
from agi_bot.errors import NluError
from agi_bot.nlu.data import NluData
from agi_bot.nlu.knowledge_file import Entry, read_knowledge
from agi_bot.nlu.normal import is_han, tidy
from agi_bot.nlu.reader import Example
from agi_bot.nlu.topics import sort_out
from agi_bot.nlu.training import BACKGROUND, Model, train

log = logging.getLogger(__name__)

LOWEST = -0.55
"""Score that an entry needs; what fits an entry has about 1, anything else about -1.  Measured: docs/nlu.md."""

LEAD = 0.12
"""Score by which it must lead over the next."""

FOLLOWING = 0.5
"""How much a follow-up of the last answer gains."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say.  ``id`` is the entry's; ``follow_ups`` are first questions of what may be asked next."""

    id: str
    text: str
    follow_ups: tuple[str, ...] = ()


class Knowledge:
    """Entries of one business; ``background`` is speech that asks for none of them (:func:`aside`)."""

    def __init__(self, entries: Sequence[Entry], language: str = "", background: Sequence[str] = ()) -> None:
        self.entries = {entry.id: entry for entry in entries}
        self._model = _model(entries, language or _language(entries), background or ("",))

    @classmethod
    def load(cls, path: Path, language: str = "", background: Sequence[str] = ()) -> Knowledge:
        """Read one file.  Raises :class:`~agi_bot.nlu.faults.BrokenData`."""
        return cls(read_knowledge(path), language, background)

    def answer(self, question: str, *, after: str = "", turn: int = 0) -> Answer | None:
        """The answer to ``question``, ``None`` where no entry fits.

        ``after`` is the id of the answer given before; ``turn`` chooses the wording.
        """
        if not tidy(question).text:
            return None
        ranked = self.ranking(question, after)
        lead = ranked[0][1] - ranked[1][1] if len(ranked) > 1 else LEAD
        if ranked[0][1] < LOWEST or lead < LEAD:
            return None
        return self._said(self.entries[ranked[0][0]], turn)

    def ranking(self, question: str, after: str = "") -> list[tuple[str, float]]:
        """All entries with their scores, best first."""
        scored = zip(self._model.labels, self._model.scores(question).tolist(), strict=True)
        boosted = [(name, score + self._boost(name, after)) for name, score in scored if name != BACKGROUND]
        return sorted(boosted, key=lambda pair: -pair[1])

    def _boost(self, name: str, after: str) -> float:
        return FOLLOWING if after and self.entries[name].follows == after else 0.0

    def _said(self, entry: Entry, turn: int) -> Answer:
        following = tuple(other.questions[0] for other in self.entries.values() if other.follows == entry.id)
        return Answer(entry.id, entry.answers[turn % len(entry.answers)], following)


@dataclass(slots=True)
class _Loaded:
    stamp: tuple[int, int]
    knowledge: Knowledge


@dataclass(slots=True)
class KnowledgeShelf:
    """All knowledge files of some folders, by name; a file that was changed is read again.

    A file is ``NAME.yml`` or ``NAME.csv``.  Where the new version of a file is broken, the
    old one goes on answering and the fault is logged.  ``unanswered`` is told of questions
    that no entry fits.
    """

    folders: Sequence[Path]
    background: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unanswered: Callable[[str, str], None] = lambda name, question: None
    _loaded: dict[Path, _Loaded] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def names(self) -> frozenset[str]:
        """Names of all knowledge files."""
        return frozenset(path.stem for folder in self.folders for path in _files(folder))

    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        """The hook ``knowledge:NAME``: ``question`` and ``after`` in, ``answer`` and ``id`` out, or nothing.

        Raises :class:`~agi_bot.errors.NluError` where there is no such file or it is broken.
        """
        question, after = str(arguments.get("question", "")), str(arguments.get("after", ""))
        found = (await self.get(name)).answer(question, after=after)
        if found is None:
            self.unanswered(name, question)
            return {}
        return {"answer": found.text, "id": found.id}

    async def get(self, name: str) -> Knowledge:
        """The knowledge of ``name`` as its file says now.  Raises :class:`~agi_bot.errors.NluError`."""
        path = next((path for folder in self.folders for path in _files(folder) if path.stem == name), None)
        if path is None:
            known = ", ".join(sorted(self.names())) or "none"
            raise NluError(f"there is no knowledge {name!r}", cure=f"known are: {known}")
        async with self._lock:
            return await self._fresh(path)

    async def _fresh(self, path: Path) -> Knowledge:
        old, stamp = self._loaded.get(path), _stamp(path)
        if old and old.stamp == stamp:
            return old.knowledge
        try:
            made = await asyncio.to_thread(self._load, path)
        except NluError as error:
            if not old:
                raise
            log.error("knowledge.refused", extra={"file": str(path), "reason": str(error)})
            made = old.knowledge
        self._loaded[path] = _Loaded(stamp, made)
        return made

    def _load(self, path: Path) -> Knowledge:
        entries = read_knowledge(path)
        language = _language(entries)
        return Knowledge(entries, language, self.background.get(language, ()))


ASKED_BESIDES = frozenset({"question", "price", "inform"})
"""Shared intents that a knowledge file may answer."""


def aside(data: NluData) -> tuple[str, ...]:
    """What callers say that no knowledge file answers: ``data``'s background, and its other intents."""
    said = (example.text for example in data.all_examples if example.intent not in ASKED_BESIDES)
    return tuple(dict.fromkeys([*data.background, *said]))


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.yml"), *folder.glob("*.csv")]) if folder.is_dir() else []


def _stamp(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        return (0, 0)
    return state.st_mtime_ns, state.st_size


def _language(entries: Sequence[Entry]) -> str:
    text = "".join(question for entry in entries for question in entry.questions)
    return "zh-CN" if any(map(is_han, text)) else "en"


def _model(entries: Sequence[Entry], language: str, background: Sequence[str]) -> Model:
    found = sort_out({entry.id: entry.questions for entry in entries}, language, background)
    examples = [
        Example(text, entry.id, (), entry.spot)
        for entry in entries
        for text in dict.fromkeys((*entry.questions, *found.wordings.get(entry.id, ())))
    ]
    return train(NluData(tuple(examples), background=(*background, *found.foreign)), language)

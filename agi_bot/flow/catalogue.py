"""All flows by name, taken up anew when their files change.

New calls get the new version; a running call keeps the :class:`Flow` it was given.  A
version with errors is refused, and the one before it stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.errors import FlowError
from agi_bot.flow.check import check
from agi_bot.flow.loader import load
from agi_bot.flow.model import Flow
from agi_bot.flow.problem import BrokenFlow, Problem
from agi_bot.flow.versions import Library

log = logging.getLogger(__name__)

Checker = Callable[[Flow], Sequence[Problem]]
Stamp = tuple[tuple[str, int, int], ...]
"""Names, times of change (ns) and sizes of files."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to load a flow from, and the folder of its training data."""

    path: Path
    home: Path
    published: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What :meth:`Catalogue.refresh` did about one file; ``problems`` is empty unless it was refused."""

    file: str
    flow: str = ""
    version: str = ""
    problems: tuple[str, ...] = field(default=())


class Catalogue:
    """Flows below ``folder`` (not in folders named ``tests``, not sub-flows), and those published.

    A flow that was published is taken from ``library`` only; its file in ``folder`` is a draft.
    """

    def __init__(self, folder: Path, *, library: Library | None = None, checker: Checker = check) -> None:
        self._folder = folder
        self._library = library
        self._checker = checker
        self._flows: dict[str, Flow] = {}
        self._refused: dict[Path, Change] = {}
        self._stamp: Stamp | None = None

    def get(self, name: str) -> Flow | None:
        """The flow ``name`` in the version that holds now."""
        return self._flows.get(name)

    def names(self) -> list[str]:
        """The names of all flows."""
        return sorted(self._flows)

    def refresh(self) -> list[Change]:
        """Take up what is new or changed; every change is logged once, and answered."""
        sources = [*self._published(), *self._drafts()]
        stamp = _stamp([source.path for source in sources])
        if stamp == self._stamp:
            return []
        self._stamp = stamp
        changes = [change for source in sources if (change := self._look(source)) is not None]
        for change in changes:
            _tell(change)
        return changes

    def _drafts(self) -> Iterator[Source]:
        for path in sorted(self._folder.rglob("*.yaml")):
            if "tests" not in path.relative_to(self._folder).parts:
                yield Source(path, path.parent)

    def _published(self) -> Iterator[Source]:
        if self._library is None:
            return
        for name in self._library.names():
            try:
                entry = self._library.current(name)
            except FlowError as error:
                log.error("flow.history.broken", extra={"flow": name, "reason": str(error)})
                continue
            if entry is not None:
                yield Source(self._library.file(name, entry.number), Path(entry.home), published=True)

    def _look(self, source: Source) -> Change | None:
        try:
            flow = load(source.path, home=source.home)
        except BrokenFlow as broken:
            return self._refuse(source, Change(str(source.path), problems=tuple(map(str, broken.problems))))
        if flow.script.part or (not source.published and self._is_published(flow.name)):
            return None
        held = self._flows.get(flow.name)
        if held and (held.version, held.file) == (flow.version, flow.file):
            return None
        errors = tuple(str(problem) for problem in self._checker(flow) if problem.is_error)
        change = Change(str(source.path), flow.name, flow.version, errors)
        if errors:
            return self._refuse(source, change)
        self._flows[flow.name] = flow
        self._refused.pop(source.path, None)
        return change

    def _is_published(self, name: str) -> bool:
        return self._library is not None and name in self._library.names()

    def _refuse(self, source: Source, change: Change) -> Change | None:
        """The change, unless it was told before."""
        if self._refused.get(source.path) == change:
            return None
        self._refused[source.path] = change
        return change


def _stamp(paths: Sequence[Path]) -> Stamp:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


def _tell(change: Change) -> None:
    facts = {"flow": change.flow, "version": change.version, "file": change.file}
    if change.problems:
        log.error(
            "flow.refused",
            extra={**facts, "reason": "; ".join(" ".join(problem.split()) for problem in change.problems)},
        )
    else:
        log.info("flow.loaded", extra=facts)

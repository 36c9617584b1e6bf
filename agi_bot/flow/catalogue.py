"""All flows by name, taken up anew when their files change.

New calls get the new version; a running call keeps the :class:`Flow` it was given.  A
version with errors is refused, and the one before it stays.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.errors import FlowError
from agi_bot.flow.check import check
from agi_bot.flow.check.outside import duplicate
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
    Of two files with one flow, the one named like the flow holds.  A flow whose file is gone at
    two looks is no longer called: an editor that saves may remove a file for a moment.
    """

    def __init__(self, folder: Path, *, library: Library | None = None, checker: Checker = check) -> None:
        self._folder = folder
        self._library = library
        self._checker = checker
        self._flows: dict[str, Flow] = {}
        self._refused: dict[Path, Change] = {}
        self._passed_over: dict[Path, str] = {}
        self._missing: set[str] = set()
        self._stamp: Stamp | None = None
        self._trouble = ""

    def get(self, name: str) -> Flow | None:
        """The flow ``name`` in the version that holds now."""
        return self._flows.get(name)

    def names(self) -> list[str]:
        """The names of all flows."""
        return sorted(self._flows)

    def refresh(self) -> list[Change]:
        """Take up what is new or changed, drop what is gone; every change is logged once, and answered.

        Files and folders may come and go meanwhile.  When the disk fails all stays as it is.
        """
        try:
            sources = [*self._published(), *self._drafts()]
        except OSError as error:
            self._not_seen(error)
            return []
        self._trouble = ""
        stamp = _stamp([source.path for source in sources])
        if stamp == self._stamp and not self._missing:
            return []
        self._stamp = stamp
        read = {source.path: self._read(source) for source in sources}
        flows = [(source, flow) for source in sources if isinstance(flow := read[source.path], Flow)]
        changes = [found for found in read.values() if isinstance(found, Change)]
        changes += self._take_up([(source, flow) for source, flow in flows if not flow.script.part])
        broken = {path for path, found in read.items() if not isinstance(found, Flow)}
        self._drop(broken, {flow.name for _, flow in flows if not flow.script.part})
        for change in changes:
            _tell(change)
        return changes

    def _drafts(self) -> Iterator[Source]:
        walk = os.walk(self._folder, onerror=_passed_by)
        files = [Path(place, name) for place, _, names in walk for name in names if name.endswith(".yaml")]
        for path in sorted(files):
            if "tests" not in path.relative_to(self._folder).parts:
                yield Source(path, path.parent)

    def _not_seen(self, error: OSError) -> None:
        if str(error) != self._trouble:
            self._trouble = str(error)
            log.error("flows.not_seen", extra={"folder": str(self._folder), "reason": str(error)})

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

    def _read(self, source: Source) -> Flow | Change | None:
        """The flow, or why there is none; ``None`` where that was told before."""
        try:
            return load(source.path, home=source.home)
        except BrokenFlow as broken:
            return self._refuse(source, Change(str(source.path), problems=tuple(map(str, broken.problems))))

    def _take_up(self, flows: Sequence[tuple[Source, Flow]]) -> Iterator[Change]:
        holding: dict[str, Flow] = {}
        for source, flow in sorted(flows, key=_rank):
            if not source.published and self._is_published(flow.name):
                self._pass_over(source, flow)
                continue
            other = holding.setdefault(flow.name, flow)
            change = self._look(source, flow) if other is flow else self._refuse(source, _double(flow, other))
            if change is not None:
                yield change

    def _look(self, source: Source, flow: Flow) -> Change | None:
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

    def _drop(self, broken: Collection[Path], names: Collection[str]) -> None:
        """Forget flows that no file has any more; what is broken or cannot be looked at stays as it was."""
        lost = [name for name, flow in self._flows.items() if name not in names and Path(flow.file) not in broken]
        gone = {name for name in lost if self._folder.is_dir() and not self._is_published(name)}
        for name in sorted(gone & self._missing):
            flow = self._flows.pop(name)
            log.warning("flow.gone", extra={"flow": name, "version": flow.version, "file": flow.file})
        self._missing = gone - self._missing

    def _pass_over(self, source: Source, draft: Flow) -> None:
        """An author who edits a published flow must not wonder why nobody hears it."""
        holds = self._flows.get(draft.name)
        if holds is None or draft.version in (holds.version, self._passed_over.get(source.path)):
            return
        self._passed_over[source.path] = draft.version
        facts = {"flow": draft.name, "version": draft.version, "file": draft.file, "published": holds.version}
        log.warning("flow.draft_passed_over", extra={**facts, "cure": "agi-bot flow publish, or unpublish"})

    def _is_published(self, name: str) -> bool:
        return self._library is not None and name in self._library.names()

    def _refuse(self, source: Source, change: Change) -> Change | None:
        """The change, unless it was told before."""
        if self._refused.get(source.path) == change:
            return None
        self._refused[source.path] = change
        return change


def _rank(found: tuple[Source, Flow]) -> tuple[bool, bool, str]:
    """What is published comes first, then the files named like their flows."""
    source, flow = found
    return not source.published, source.path.stem != flow.name, str(source.path)


def _double(flow: Flow, other: Flow) -> Change:
    return Change(flow.file, flow.name, flow.version, (str(duplicate(flow, other.file)),))


def _passed_by(error: OSError) -> None:
    """A folder that is gone by now or is not ours to read has no flows; any other error tells nothing about them."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        raise error


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

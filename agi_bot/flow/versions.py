"""Published versions of flows: files in a folder, who published them and when.

``FOLDER/NAME/0001/NAME.yaml`` (with its sub-flows) is never changed again; ``history.jsonl``
beside it has one line for each publication, each rollback and each withdrawal, and its last
line says which version holds, or that the file of the author holds again.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from agi_bot.errors import FlowError
from agi_bot.flow.loader import load
from agi_bot.flow.model import Flow
from agi_bot.flow.problem import BrokenFlow

HISTORY = "history.jsonl"
UNPUBLISH = "unpublish"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history.

    ``action`` is ``publish``, ``rollback`` or ``unpublish``, ``at`` ISO 8601 with zone, ``home`` the folder
    the flow was published from.
    """

    number: int
    version: str
    action: str
    who: str
    at: str
    home: str
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether calls use the published version; else the author's file."""
        return self.action != UNPUBLISH


class Library:
    """The published versions below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(self, path: Path, *, who: str, at: datetime, note: str = "") -> Entry:
        """Keep the flow in ``path``, with its sub-flows, as the version that holds from now on.

        The same contents as the present version are not published again.  Raises
        :class:`~agi_bot.errors.FlowError`.
        """
        flow = load(path)
        history = self.history(flow.name)
        if history and history[-1].holds and history[-1].version == flow.version:
            raise FlowError(
                f"flow {flow.name} is already published as number {history[-1].number}",
                cure="change it first, or use rollback to return to an earlier one",
            )
        number = max((entry.number for entry in history), default=0) + 1
        self._keep(flow, self._folder / flow.name / f"{number:04d}")
        home = str(Path(flow.home).resolve())
        return self._note(
            flow.name, Entry(number, flow.version, "publish", who, at.isoformat(timespec="seconds"), home, note)
        )

    def rollback(self, name: str, *, to: int | None, who: str, at: datetime, note: str = "") -> Entry:
        """Let version ``to`` (``None``: the one before the present) hold again.  Raises FlowError."""
        history = self.history(name)
        if not history:
            raise FlowError(f"flow {name} was never published", cure="see agi-bot flow history")
        number = to if to is not None else self._before(name, history)
        found = next((entry for entry in history if entry.number == number), None)
        if found is None:
            known = ", ".join(str(entry.number) for entry in history if entry.action == "publish")
            raise FlowError(f"flow {name} has no version {number}", cure=f"there are {known}")
        entry = Entry(number, found.version, "rollback", who, at.isoformat(timespec="seconds"), found.home, note)
        return self._note(name, entry)

    def unpublish(self, name: str, *, who: str, at: datetime, note: str = "") -> Entry:
        """Let the author's file hold again; the versions are kept.  Raises FlowError."""
        last = self.current(name)
        if last is None:
            raise FlowError(f"flow {name} is not published", cure="its file is used as it is")
        entry = Entry(last.number, last.version, UNPUBLISH, who, at.isoformat(timespec="seconds"), last.home, note)
        return self._note(name, entry)

    def history(self, name: str) -> list[Entry]:
        """All entries of ``name``, oldest first.  Raises FlowError for a damaged history."""
        path = self._folder / name / HISTORY
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
            return [Entry(**json.loads(line)) for line in lines if line.strip()]
        except (OSError, ValueError, TypeError) as error:
            raise FlowError(f"{path} cannot be read: {error}", cure="restore it from a backup") from None

    def names(self) -> list[str]:
        """Flows that are published; one whose history is damaged is among them."""
        return sorted(path.parent.name for path in self._folder.glob(f"*/{HISTORY}") if self._is_held(path.parent.name))

    def current(self, name: str) -> Entry | None:
        """The version that holds, ``None`` where the author's file does.  Raises FlowError for a damaged history."""
        history = self.history(name)
        return history[-1] if history and history[-1].holds else None

    def standing(self, flow: Flow) -> str:
        """What an author must know of ``flow``'s file; empty where it is what calls use.  Raises FlowError."""
        held = self.current(flow.name)
        if held is None or held.version == flow.version:
            return ""
        return (
            f"calls use number {held.number} ({held.version}), published {held.at[:16].replace('T', ' ')}; "
            f"the file {flow.file} ({flow.version}) is a draft that differs"
        )

    def file(self, name: str, number: int) -> Path:
        """The file of version ``number``."""
        return self._folder / name / f"{number:04d}" / f"{name}.yaml"

    def _is_held(self, name: str) -> bool:
        try:
            return self.current(name) is not None
        except FlowError:
            return True

    def _before(self, name: str, history: list[Entry]) -> int:
        if not history[-1].holds:
            return history[-1].number
        earlier = [entry.number for entry in history if entry.number != history[-1].number]
        if not earlier:
            raise FlowError(f"flow {name} has only one version", cure="publish another one first")
        return earlier[-1]

    def _keep(self, flow: Flow, target: Path) -> None:
        """Write the files beside the target and move them there at once."""
        target.parent.mkdir(parents=True, exist_ok=True)
        work = target.parent
        try:
            work = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
            (work / f"{flow.name}.yaml").write_text(flow.text, encoding="utf-8")
            for name, part in _all_parts(flow).items():
                (work / f"{name}.yaml").write_text(part.text, encoding="utf-8")
            load(work / f"{flow.name}.yaml")
            work.chmod(0o755)
            work.rename(target)
        except (OSError, BrokenFlow) as error:
            if work != target.parent:
                shutil.rmtree(work, ignore_errors=True)
            raise FlowError(f"flow {flow.name} cannot be kept in {target}: {error}", cure="check the folder") from None

    def _note(self, name: str, entry: Entry) -> Entry:
        path = self._folder / name / HISTORY
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FlowError(f"{path} cannot be written: {error}", cure="check the folder and the disk") from None
        return entry


def _all_parts(flow: Flow) -> dict[str, Flow]:
    parts = dict(flow.parts)
    for part in flow.parts.values():
        parts.update(_all_parts(part))
    return parts

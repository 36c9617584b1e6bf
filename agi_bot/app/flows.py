"""The flows folder: every flow by its name; a changed file is taken up, a broken one keeps its old version."""

from __future__ import annotations

import logging
from pathlib import Path

from agi_bot.errors import AgiBotError
from agi_bot.flow import Flow, load

log = logging.getLogger(__name__)


class FlowFolder:
    """Flows below ``folder``, except those in folders named ``tests``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._flows: dict[str, Flow] = {}
        self._seen: dict[Path, float] = {}

    def refresh(self) -> None:
        """Take up what is new or changed; new calls get it, running calls keep theirs."""
        for path in sorted(self._folder.rglob("*.yaml")):
            if "tests" in path.relative_to(self._folder).parts:
                continue
            changed = path.stat().st_mtime
            if self._seen.get(path) != changed:
                self._seen[path] = changed
                self._take(path)

    def _take(self, path: Path) -> None:
        try:
            flow = load(path)
        except AgiBotError as error:
            log.error("flow.refused", extra={"file": str(path), "reason": str(error)})
            return
        self._flows[flow.name] = flow
        log.info("flow.loaded", extra={"flow": flow.name, "version": flow.version, "file": str(path)})

    def get(self, name: str) -> Flow | None:
        """The flow ``name`` in its present version."""
        return self._flows.get(name)

    def names(self) -> list[str]:
        """The names of all flows."""
        return sorted(self._flows)

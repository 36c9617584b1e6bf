"""What a dial queue promises.  Times are seconds since the epoch (UTC), given by the caller, but for orphans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agi_bot.campaign.pacing import Pace


@dataclass(frozen=True, slots=True)
class Due:
    """A task to be dialled at ``due_at`` on ``trunk``; higher ``priority`` first."""

    task_id: str
    due_at: float
    trunk: str = "default"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that one dialer has taken; nobody else gets it until it is given back."""

    due: Due
    owner: str
    beat_at: float


@dataclass(frozen=True, slots=True)
class Gate:
    """What a trunk bears, over all dialers together: ``lines`` claims at once, no faster than ``pace``."""

    lines: int
    pace: Pace


class Queue(Protocol):
    """A task is in exactly one place: waiting, claimed by one owner, or gone."""

    async def open(self) -> None:
        """Ready the queue.  Raises :class:`~agi_bot.errors.StoreError`."""

    async def close(self) -> None:
        """Let go of it; claims stay claimed."""

    async def put(self, tasks: Iterable[Due]) -> int:
        """Add tasks; one that is there already, waiting or claimed, is left as it is.  How many are new."""

    async def withdraw(self, task_ids: Sequence[str]) -> int:
        """Take waiting tasks out; claimed ones stay.  How many were taken out."""

    async def claim(self, owner: str, trunk: str, most: int, now: float, gate: Gate | None = None) -> list[Claim]:
        """At most ``most`` tasks of ``trunk`` that are due, by priority, then by due time.

        ``gate`` holds for all owners together: claims that others hold take its lines, and
        its pace is kept with the queue.
        """

    async def heartbeat(self, owner: str, now: float) -> int:
        """``owner`` is alive; how many claims it holds."""

    async def finish(self, owner: str, task_id: str) -> bool:
        """The task is done with; ``False`` when ``owner`` does not hold it (any more)."""

    async def give_back(self, owner: str, task_id: str, due_at: float) -> bool:
        """Put a claimed task back, to be due at ``due_at``; ``False`` when ``owner`` does not hold it."""

    async def orphans(self, now: float, silent_s: float) -> list[Claim]:
        """Claims whose owner has not been heard of for ``silent_s``; they stay claimed.

        ``now`` is of the asker's own steady clock (``time.monotonic``), not of the wall: an
        owner is silent when the asker itself has seen no beat for so long.  Whoever sets a
        wall clock makes nobody dead by it, and a process that has just started must listen first.
        """

    async def adopt(self, owner: str, claim: Claim, now: float) -> bool:
        """Take over an orphan; ``False`` when its owner has spoken or somebody was quicker."""

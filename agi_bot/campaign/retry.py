"""What follows an attempt: again, when; or never again, and why.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agi_bot.contracts import Status


@dataclass(frozen=True, slots=True)
class Retry:
    """At most ``times`` further attempts after this end, ``after`` it."""

    times: int
    after: timedelta


DEFAULTS: Mapping[str, Retry] = {
    Status.BUSY: Retry(3, timedelta(minutes=10)),
    Status.NO_ANSWER: Retry(2, timedelta(hours=2)),
    Status.UNREACHABLE: Retry(2, timedelta(hours=4)),
    Status.CONGESTION: Retry(5, timedelta(minutes=2)),
    Status.FAILED: Retry(2, timedelta(minutes=10)),
    "machine": Retry(2, timedelta(hours=4)),
    "hung_up": Retry(0, timedelta()),
}
"""By how an attempt ended; what is not here is never tried again.

The person's caps and interval hold for retries, too: with one call a day (the default) these
times are the earliest ones, and but for congestion and failure the next call is a day later.
"""

FINAL: Mapping[str, str] = {
    Status.INVALID_NUMBER: "the number does not exist",
    Status.REJECTED: "the person refused the call",
    Status.UNKNOWN: "it is not known whether the call went out: never redialled by itself",
    Status.CANCELLED: "cancelled",
}


OF_CALLS = frozenset({*Status, "machine"})
"""Ends of calls; a conversation's own outcome of that name is none of them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended at ``at`` (with zone).

    ``how`` is a :class:`~agi_bot.contracts.Status`, ``machine``, or the outcome of the
    conversation.  ``person``: a conversation was had, so that ``how`` is its own word also
    where it reads like an end of calls.  ``refused``: the person does not want to be called
    again.  ``call_back_at``: when the person asked to be called.
    """

    how: str
    at: datetime
    answered: bool = False
    person: bool = False
    refused: bool = False
    call_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Dial again at ``at``."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The task is over.  ``unallocated``: mark the number as one that does not exist."""

    reason: str
    unallocated: bool = False


@dataclass(frozen=True, slots=True)
class RetryRules:
    """A campaign's retries; ``most`` is the number of attempts of a task over all ends."""

    by_end: Mapping[str, Retry] = field(default_factory=lambda: dict(DEFAULTS))
    most: int = 5


def after(ended: Ended, before: Sequence[str], rules: RetryRules) -> Again | Done:
    """What follows ``ended``; ``before`` are the ends of the task's earlier attempts, oldest first."""
    if ended.refused:
        return Done("the person refused")
    if ended.how in FINAL and not ended.person:
        return Done(FINAL[ended.how], unallocated=ended.how == Status.INVALID_NUMBER)
    if len(before) + 1 >= rules.most:
        return Done(f"{rules.most} attempts were made")
    if ended.call_back_at is not None and ended.call_back_at > ended.at:
        return Again(ended.call_back_at, "the person asked to be called then")
    retry = None if ended.person and ended.how in OF_CALLS else rules.by_end.get(ended.how)
    if retry is None:
        return Done("the conversation was had" if ended.answered else f"no retry after {ended.how}")
    if before.count(ended.how) >= retry.times:
        return Done(f"{ended.how} {before.count(ended.how) + 1} times")
    return Again(ended.at + retry.after, f"{ended.how}: once more")

"""How long a call is kept.  Pure: it decides, others delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A stored call; ``campaign_id`` is empty where none had it placed, ``recording`` is a path or empty."""

    call_id: str
    flow: str
    campaign_id: str
    started_at: datetime
    recording: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days by campaign before days by flow before ``days``; 0 keeps for ever."""

    days: int = 0
    by_flow: Mapping[str, int] = field(default_factory=dict)
    by_campaign: Mapping[str, int] = field(default_factory=dict)

    @property
    def shortest(self) -> int:
        """The fewest days after which anything is deleted; 0: nothing ever is."""
        return min(
            (days for days in (self.days, *self.by_flow.values(), *self.by_campaign.values()) if days), default=0
        )

    def of(self, call: KeptCall) -> tuple[int, str]:
        """The days that ``call`` is kept, and the setting that says so."""
        if call.campaign_id in self.by_campaign:
            return self.by_campaign[call.campaign_id], f"privacy.retention_by_campaign.{call.campaign_id}"
        if call.flow in self.by_flow:
            return self.by_flow[call.flow], f"privacy.retention_by_flow.{call.flow}"
        return self.days, "privacy.retention_days"


@dataclass(frozen=True, slots=True)
class Expired:
    """A call that is to be deleted, and why."""

    call: KeptCall
    reason: str


def expired(calls: Iterable[KeptCall], rules: Retention, now: datetime) -> Iterator[Expired]:
    """Those of ``calls`` whose time is over at ``now`` (with zone)."""
    for call in calls:
        days, setting = rules.of(call)
        if days and call.started_at < now - timedelta(days=days):
            yield Expired(call, f"older than {days} days ({setting})")

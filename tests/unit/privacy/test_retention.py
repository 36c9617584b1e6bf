"""How long a call is kept: the campaign's days, the flow's, the default; 0 for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from agi_bot.privacy.retention import KeptCall, Retention, expired

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = Retention(90, {"loan": 180, "survey": 0}, {"autumn": 30})


@pytest.mark.parametrize(
    ("flow", "campaign", "days", "gone"),
    [
        ("demo", "", 89, False),
        ("demo", "", 91, True),
        ("loan", "", 179, False),
        ("loan", "", 181, True),
        ("survey", "", 9000, False),
        ("survey", "autumn", 31, True),
        ("loan", "autumn", 29, False),
    ],
)
def test_the_nearest_rule_counts(flow: str, campaign: str, days: int, gone: bool) -> None:
    call = KeptCall("c", flow, campaign, NOW - timedelta(days=days))
    assert [one.call for one in expired([call], RULES, NOW)] == ([call] if gone else [])


def test_the_reason_names_the_setting() -> None:
    call = KeptCall("c", "loan", "autumn", NOW - timedelta(days=40))
    assert next(expired([call], RULES, NOW)).reason == "older than 30 days (privacy.retention_by_campaign.autumn)"


def test_zones_do_not_matter() -> None:
    there = timezone(timedelta(hours=8))
    call = KeptCall("c", "demo", "", (NOW - timedelta(days=90)).astimezone(there) + timedelta(minutes=1))
    assert list(expired([call], RULES, NOW)) == []


def test_the_shortest() -> None:
    assert Retention().shortest == 0
    assert RULES.shortest == 30

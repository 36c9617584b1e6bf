"""What agi-bot check says of campaigns, the outbox and the API."""

from __future__ import annotations

from agi_bot.app.office_checks import events
from agi_bot.config import Settings
from agi_bot.findings import Level
from agi_bot.shipped import shipped


def test_an_event_whose_flow_nobody_wrote() -> None:
    rules = {"paid": {"flow": "appointment_reminder"}, "failed": {"flow": "promotion_01"}}
    wanted = {"flows": {"folder": shipped("flows")}, "campaigns": {"events": rules}}
    (finding,) = events(Settings.model_validate(wanted))
    assert (finding.level, finding.what) == (Level.ERROR, "campaigns.events.failed: there is no flow promotion_01")
    assert "promotion_001" in finding.cure

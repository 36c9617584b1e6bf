"""What agi-bot check says of campaigns, the outbox and the API."""

from __future__ import annotations

import socket

import pytest

from agi_bot.app.office_checks import api, events, receivers
from agi_bot.config import Settings
from agi_bot.findings import Level
from agi_bot.shipped import shipped


def test_an_event_whose_flow_nobody_wrote() -> None:
    rules = {"paid": {"flow": "appointment_reminder"}, "failed": {"flow": "promotion_01"}}
    wanted = {"flows": {"folder": shipped("flows")}, "campaigns": {"events": rules}}
    (finding,) = events(Settings.model_validate(wanted))
    assert (finding.level, finding.what) == (Level.ERROR, "campaigns.events.failed: there is no flow promotion_01")
    assert "promotion_001" in finding.cure


@pytest.mark.parametrize(
    ("outbox", "level", "word"),
    [
        ({"url": "http://127.0.0.1:9000/x"}, Level.ERROR, "127.0.0.1, an address of a private network"),
        ({"url": "ftp://127.0.0.1/x", "allow_private": True}, Level.ERROR, "not an http or https address"),
        ({"url": "http://127.0.0.1:9000/x", "allow_private": True}, Level.OK, "127.0.0.1 is 127.0.0.1"),
        ({"url": "http://nowhere.invalid/x"}, Level.WARNING, "cannot be looked up"),
    ],
)
@pytest.mark.parametrize("section", ["outbox", "sms"])
async def test_a_receiver_to_which_nothing_may_be_sent(
    section: str, outbox: dict[str, object], level: Level, word: str
) -> None:
    (found,) = [finding async for finding in receivers(Settings.model_validate({section: outbox}))]
    assert (found.level, found.what.startswith(f"{section}.url: ")) == (level, True)
    assert word in found.what


async def test_no_receiver_is_no_mistake() -> None:
    assert [finding async for finding in receivers(Settings.model_validate({}))] == []


def test_the_port_of_the_api() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        web = {"enabled": True, "port": other.getsockname()[1]}
        (taken,) = api(Settings.model_validate({"web": web}))
        assert (taken.level, "web.port" in taken.cure) == (Level.ERROR, True)
    (free,) = api(Settings.model_validate({"web": web}))
    assert free.level is Level.OK
    assert list(api(Settings.model_validate({"web": {**web, "enabled": False}}))) == []

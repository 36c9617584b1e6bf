"""What agi-bot check says of campaigns, the outbox and the API."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agi_bot.app.office_checks import api, dialling, events, receivers
from agi_bot.config import Settings
from agi_bot.findings import Finding, Level
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
        ({"url": "http://127.0.0.1:9000/x"}, Level.ERROR, "127.0.0.1 is an address of a private network"),
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


def test_a_certificate_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    def told(**web: object) -> Finding:
        return list(api(Settings.model_validate({"web": {"enabled": True, "port": 0, **web}})))[-1]

    missing = told(certificate=tmp_path / "a.pem")
    assert (missing.level, missing.what) == (
        Level.ERROR,
        f"web.certificate: there is no file {tmp_path / 'a.pem'}",
    )
    (tmp_path / "a.pem").write_text("no certificate")
    assert told(certificate=tmp_path / "a.pem").level is Level.ERROR
    absent = told(certificate=tmp_path / "a.pem", certificate_key=tmp_path / "b.pem")
    assert absent.what.endswith(f"there is no file {tmp_path / 'b.pem'}")


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({}, 0),
        ({"campaigns": {"enabled": True}}, 1),
        ({"campaigns": {"enabled": True}, "asterisk": {"ami": {"user": "bot"}}}, 0),
        ({"campaigns": {"enabled": True}, "pbx": "freeswitch"}, 1),
        ({"campaigns": {"enabled": True}, "pbx": "freeswitch", "freeswitch": {"password": "x"}}, 0),
    ],
)
def test_campaigns_without_a_way_to_the_exchange(settings: dict[str, object], count: int) -> None:
    found = list(dialling(Settings.model_validate(settings)))
    assert [finding.level for finding in found] == [Level.ERROR] * count

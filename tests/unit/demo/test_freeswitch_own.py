"""The configuration that our own FreeSWITCH gets, without a FreeSWITCH."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from agi_bot.demo.freeswitch import OwnFreeSwitch, find_binary
from agi_bot.errors import PbxDown

SHIPPED = Path(__file__).parents[3] / "dialplans" / "freeswitch" / "agi_bot.xml"


def own(folder: Path, binary: str = "/bin/false") -> OwnFreeSwitch:
    return OwnFreeSwitch(Path(binary), folder, dialplans=(SHIPPED,), settings={"agi_bot_port": '84"84'})


async def test_a_binary_that_ends_at_once_is_told(tmp_path: Path) -> None:
    with pytest.raises(PbxDown, match="ended at once"):
        await own(tmp_path).start(timeout=5)


async def test_the_configuration_is_whole_and_on_loopback_only(tmp_path: Path) -> None:
    freeswitch = own(tmp_path)
    with pytest.raises(PbxDown):
        await freeswitch.start(timeout=5)
    root = ElementTree.parse(tmp_path / "conf" / "freeswitch.xml").getroot()
    told = {param.get("name", ""): param.get("value", "") for param in root.iter("param")}
    assert {told["listen-ip"], told["sip-ip"], told["rtp-ip"]} == {"127.0.0.1"}
    assert told["password"] == freeswitch.password != "ClueCon"
    assert told["listen-port"] == str(freeswitch.ports.esl)
    steps = [(step.get("cmd"), step.get("data")) for step in root.iter("X-PRE-PROCESS")]
    assert steps == [("set", 'agi_bot_port=84"84'), ("include", str(SHIPPED))]


def test_every_own_freeswitch_has_its_own_ports_and_password(tmp_path: Path) -> None:
    one, two = own(tmp_path / "1"), own(tmp_path / "2")
    assert one.password != two.password
    assert one.ports.esl != two.ports.esl


def test_where_the_binary_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "freeswitch"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FREESWITCH", raising=False)
    assert find_binary() == binary
    monkeypatch.setenv("FREESWITCH", str(binary))
    assert find_binary() == binary
    monkeypatch.setenv("FREESWITCH", str(tmp_path / "nowhere"))
    assert find_binary() is None


def test_the_shipped_dialplan_is_xml_and_sets_nothing_when_it_is_read() -> None:
    """FreeSWITCH carries out X-PRE-PROCESS even inside a comment."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert "X-PRE-PROCESS" not in text
    names = [extension.get("name") for extension in ElementTree.fromstring(text).iter("extension")]
    assert names == ["agi_bot_lost", "agi_bot_back", "agi_bot"]

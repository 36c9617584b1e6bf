"""The fences around panoramisk, against a manager that answers as the test says."""

from __future__ import annotations

import asyncio

import pytest

from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx.ami import Ami, AmiOptions, AmiUnanswered, Event, check_headers, variable
from tests.unit.pbx.manager import Manager, until


async def test_login_tells_the_version_and_asks_only_for_the_events_it_needs(manager: Manager, ami: Ami) -> None:
    assert ami.connected
    assert ami.version == "22.10.1"
    assert manager.actions[0]["Events"] == "system,call,user,dtmf"


async def test_an_answer_with_chinese_in_it(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: ["Response: Success\r\nValue: 张伟"]
    answers = await ami.action("Getvar", {"Variable": "名字"})
    assert answers[0]["value"] == "张伟"
    assert manager.actions[-1]["Variable"] == "名字"


async def test_a_character_cut_in_two_by_the_network_is_not_lost(manager: Manager, ami: Ami) -> None:
    seen: list[Event] = []
    ami.subscribe("UserEvent", seen.append)
    data = "Event: UserEvent\r\nName: 张\r\n\r\n".encode()
    manager.links[-1].write(data[:26])
    await asyncio.sleep(0.05)
    manager.links[-1].write(data[26:])
    await until(lambda: bool(seen))
    assert seen[0]["name"] == "张"


@pytest.mark.parametrize("value", ["a\r\nAction: Logoff", "a\nb", "a\0b", "a\r"])
async def test_line_ends_are_refused_before_anything_is_sent(manager: Manager, ami: Ami, value: str) -> None:
    for headers in ({"Channel": value}, {"Variable": ["ok=1", value]}, {value: "x"}):
        with pytest.raises(ValueError, match="line end"):
            await ami.action("Hangup", headers)
    assert manager.names() == []


async def test_an_action_that_is_not_answered_is_not_waited_for(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: []
    with pytest.raises(AmiUnanswered, match=r"no answer in 2 s"):
        await ami.action("Redirect", {"Channel": "a"})


async def test_what_was_unanswered_is_never_sent_again(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: []
    waiting = [
        asyncio.create_task(ami.action(name, {"Channel": "a"}, 5)) for name in ("Originate", "Redirect", "Setvar")
    ]
    await until(lambda: len(manager.names()) == 3)
    manager.answer = lambda action: ["Response: Success"]
    manager.cut()
    for task in waiting:
        with pytest.raises(AmiUnanswered, match="the link broke"):
            await task
    await until(lambda: ami.connected)
    manager.send("Event: FullyBooted")
    await ami.action("Hangup", {"Channel": "a"})
    assert sorted(manager.names()) == ["Hangup", "Originate", "Redirect", "Setvar"]


async def test_a_lost_link_is_told_and_comes_back(manager: Manager, ami: Ami, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    told: list[bool] = []
    ami.on_lost.append(lambda: told.append(True))
    manager.cut()
    await until(lambda: not ami.connected)
    with pytest.raises(PbxDown, match="not connected"):
        await ami.action("Originate", {})
    await until(lambda: ami.connected)
    assert told == [True]
    assert [record.message for record in caplog.records if record.name == "agi_bot.pbx.ami"] == ["ami.lost", "ami.back"]


async def test_an_asterisk_that_is_still_starting_is_told_apart(manager: Manager, ami: Ami) -> None:
    assert not ami.booting, "whom we found when we came is not waited for"
    manager.cut()
    await until(lambda: not ami.connected)
    await until(lambda: ami.connected)
    assert ami.booting
    manager.send("Event: FullyBooted\r\nStatus: Fully Booted")
    await until(lambda: not ami.booting)
    manager.login = f"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n{manager.login}"
    manager.cut()
    await until(lambda: not ami.connected)
    await until(lambda: ami.connected)
    assert not ami.booting, "it said so in the same breath"


async def test_who_is_not_told_of_the_boot_waits_for_a_while_only(
    manager: Manager, ami: Ami, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agi_bot.pbx.ami.BOOT_S", 0.3)
    manager.cut()
    await until(lambda: ami.booting)
    await until(lambda: ami.connected and not ami.booting)


async def test_a_manager_that_freezes_is_noticed_by_the_ping(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: []
    await until(lambda: not ami.connected)
    manager.answer = lambda action: ["Response: Success"]
    await until(lambda: ami.connected)


async def test_a_login_that_is_not_answered_is_tried_again(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    link = Ami(AmiOptions(user="bot", secret="x", port=manager.port, connect_timeout_s=0.3))
    await link.connect()
    manager.mute = True
    manager.cut()
    await until(lambda: "ami.mute" in [record.message for record in caplog.records])
    assert not link.connected
    manager.mute = False
    await until(lambda: link.connected)
    await asyncio.sleep(0.4)
    assert link.connected, "what has logged in is left alone"
    assert [record.message for record in caplog.records].count("ami.mute") == 1
    await link.close()


async def test_a_refused_login_is_an_error_with_its_cure(manager: Manager) -> None:
    manager.login = "Response: Error\r\nMessage: Authentication failed"
    with pytest.raises(PbxDown, match=r"Authentication failed .*permit="):
        await Ami(AmiOptions(user="bot", secret="wrong", port=manager.port)).connect()


async def test_a_port_that_is_no_manager(manager: Manager) -> None:
    manager.login = "nonsense"
    with pytest.raises(PbxDown, match="does not answer"):
        await Ami(AmiOptions(user="bot", secret="x", port=manager.port, connect_timeout_s=0.3)).connect()


async def test_after_close_nothing_tries_to_connect_again(manager: Manager) -> None:
    link = Ami(AmiOptions(user="bot", secret="x", port=manager.port))
    await link.connect()
    await link.close()
    await link.close()
    await asyncio.sleep(1.3)
    assert len([action for action in manager.actions if action["Action"] == "Login"]) == 1


async def test_an_action_that_asterisk_queues_does_not_break_the_link(manager: Manager, ami: Ami) -> None:
    """panoramisk alone raises KeyError in its protocol for this answer and drops the connection."""
    manager.answer = lambda action: ["Response: Success\r\nMessage: DTMF successfully queued"]
    assert (await ami.action("PlayDTMF", {"Channel": "a", "Digit": "1"}))[0]["response"] == "Success"
    assert ami.connected


async def test_the_console_is_asked(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: [
        "Response: Success\r\nMessage: Command output follows\r\nOutput: one\r\nOutput: two"
    ]
    assert await ami.command("core show version") == ["one", "two"]
    manager.answer = lambda action: ["Response: Error\r\nMessage: Permission denied"]
    with pytest.raises(PbxError, match="Permission denied"):
        await ami.command("core show version")


def test_what_asterisk_takes_apart_in_a_variable_is_escaped() -> None:
    assert variable("NAME", 'a,b "c" (d)[e] \\') == 'NAME=a\\,b \\"c\\" \\(d\\)\\[e\\] \\\\'


def test_headers_without_line_ends_pass() -> None:
    check_headers({"A": "张伟", "B": ["x", "y"]})

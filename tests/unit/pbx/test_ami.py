"""The fences around panoramisk, against a manager that answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from agi_bot.contracts import Disposition, Status
from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx.ami import Ami, AmiOptions, AmiUnanswered, Event, check_headers, variable
from agi_bot.pbx.asterisk.attempt import Attempt, Order
from agi_bot.pbx.asterisk.disposition import Evidence, disposition

Message = dict[str, str]


class Manager:
    """Asterisk's side of AMI: remembers every action, answers with :attr:`answer`."""

    def __init__(self) -> None:
        self.actions: list[Message] = []
        self.links: list[asyncio.StreamWriter] = []
        self.answer: Callable[[Message], list[str]] = lambda action: ["Response: Success"]
        self.login = "Response: Success\r\nMessage: Authentication accepted"
        self.mute = False

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = int(self.server.sockets[0].getsockname()[1])

    def names(self) -> list[str]:
        return [
            action["Action"] for action in self.actions if action["Action"] not in ("Login", "CoreSettings", "Ping")
        ]

    def send(self, message: str) -> None:
        self.links[-1].write(message.encode() + b"\r\n\r\n")

    def cut(self) -> None:
        for link in self.links:
            link.transport.abort()
        self.links.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in block.strip().split("\r\n") if ": " in line)
                self.actions.append(action)
                self._reply(action, writer)

    def _reply(self, action: Message, writer: asyncio.StreamWriter) -> None:
        replies = self.answer(action)
        if self.mute:
            return
        if action["Action"] == "Login":
            replies = [self.login]
        if action["Action"] == "CoreSettings":
            replies = ["Response: Success\r\nAsteriskVersion: 22.10.1"]
        for reply in replies:
            writer.write(f"{reply}\r\nActionID: {action['ActionID']}\r\n\r\n".encode())


@pytest.fixture
async def manager() -> AsyncIterator[Manager]:
    made = Manager()
    await made.start()
    yield made
    made.server.close()
    made.cut()


@pytest.fixture
async def ami(manager: Manager) -> AsyncIterator[Ami]:
    link = Ami(AmiOptions(user="bot", secret="x", port=manager.port, action_timeout_s=2.0, ping_s=0.2))
    await link.connect()
    yield link
    await link.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


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


# --- attempts ---


def originate_response(response: str, reason: int) -> Callable[[Message], list[str]]:
    def answer(action: Message) -> list[str]:
        if action["Action"] != "Originate":
            return ["Response: Success"]
        queued = "Response: Success\r\nMessage: Originate successfully queued"
        return [queued, f"Event: OriginateResponse\r\nResponse: {response}\r\nReason: {reason}"]

    return answer


def attempt_on(ami: Ami, ring_timeout_s: float = 1.0) -> Attempt:
    headers = {"Channel": "Local/1@x", "ChannelId": "id-1", "Async": "true"}
    return Attempt(ami, Order("id-1", "1", ring_timeout_s, headers))


def hangup(cause: int, sip: int = 0, channel: str = "PJSIP/x-1", text: str = "text") -> Event:
    told = {"event": "Hangup", "channel": channel, "uniqueid": "u", "cause": str(cause), "cause-txt": text}
    return {**told, "techcause": f"SIP {sip}"} if sip else told


async def test_an_answered_attempt(manager: Manager, ami: Ami) -> None:
    manager.answer = originate_response("Success", 4)
    attempt = attempt_on(ami)
    await attempt.run()
    assert (await attempt.outcome()).answered
    await attempt.cancel()
    assert manager.names() == ["Originate"]


async def test_a_cause_may_come_before_or_after_the_response(manager: Manager, ami: Ami) -> None:
    manager.answer = originate_response("Failure", 0)
    for late in (False, True):
        attempt = attempt_on(ami)
        if not late:
            attempt.event(hangup(17, 486))
        running = asyncio.create_task(attempt.run())
        await asyncio.sleep(0.1)
        if late:
            attempt.event(hangup(17, 486))
        await running
        assert await attempt.outcome() == Disposition(Status.BUSY, 17, 486, "text")


async def test_a_refused_originate_is_a_failure(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: ["Response: Error\r\nMessage: Permission denied"]
    attempt = attempt_on(ami)
    await attempt.run()
    verdict = await attempt.outcome()
    assert (verdict.status, verdict.detail) == (Status.FAILED, "Asterisk refused to dial: Permission denied")


class Ringer:
    """Answers an Originate with silence; says ``there`` times that the channel is there, then that it is not."""

    def __init__(self, there: int) -> None:
        self.there = there

    def __call__(self, action: Message) -> list[str]:
        if action["Action"] == "Originate":
            return []
        if action["Action"] != "Getvar":
            return ["Response: Success"]
        assert action["Channel"] == "id-1", "asked for by our own channel id"
        self.there -= 1
        return [
            "Response: Success\r\nValue: Ringing" if self.there >= 0 else "Response: Error\r\nMessage: No such channel"
        ]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.pbx.asterisk.attempt.LOOK_S", 0.02)


async def cut_after_originate(manager: Manager, attempt: Attempt) -> asyncio.Task[None]:
    running = asyncio.create_task(attempt.run())
    await until(lambda: "Originate" in manager.names())
    manager.cut()
    return running


async def test_a_call_that_is_gone_when_the_link_is_back_is_unknown(
    manager: Manager, ami: Ami, impatient: None
) -> None:
    manager.answer = Ringer(there=0)
    attempt = attempt_on(ami, 5)
    await (await cut_after_originate(manager, attempt))
    verdict = await attempt.outcome()
    assert verdict.status is Status.UNKNOWN
    assert "does not know the call any more" in verdict.detail
    assert manager.names() == ["Originate", "Getvar", "Getvar"], "asked twice, dialled once"


async def test_a_call_that_still_rings_when_the_link_is_back_is_followed_to_its_end(
    manager: Manager, ami: Ami, impatient: None
) -> None:
    manager.answer = Ringer(there=3)
    attempt = attempt_on(ami, 5)
    running = await cut_after_originate(manager, attempt)
    await until(lambda: "Getvar" in manager.names())
    attempt.event(hangup(17, 486))
    await running
    assert await attempt.outcome() == Disposition(Status.BUSY, 17, 486, "text")
    assert manager.names().count("Originate") == 1


async def test_the_answered_leg_arrives_although_the_link_is_lost(manager: Manager, ami: Ami, impatient: None) -> None:
    manager.answer = Ringer(there=1000)
    attempt = attempt_on(ami, 5)
    running = await cut_after_originate(manager, attempt)
    attempt.arrived()
    await running
    assert (await attempt.outcome()).answered
    assert manager.names().count("Originate") == 1


async def test_a_link_that_stays_away_leaves_the_call_unknown(
    manager: Manager, ami: Ami, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agi_bot.pbx.asterisk.attempt.LATE_S", 0.1)
    manager.answer = Ringer(there=0)
    attempt = attempt_on(ami, 0.1)
    manager.server.close()
    await (await cut_after_originate(manager, attempt))
    assert (await attempt.outcome()) == Disposition(
        Status.UNKNOWN, detail="AMI action Originate was sent, but the link broke"
    )


async def test_an_attempt_cancelled_before_it_was_sent_is_not_sent(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: ["Response: Error\r\nMessage: No such channel"]
    attempt = attempt_on(ami)
    cancelling = asyncio.create_task(attempt.cancel())
    await asyncio.sleep(0)
    await attempt.run()
    await cancelling
    assert (await attempt.outcome()).status is Status.CANCELLED
    assert "Originate" not in manager.names()


async def test_an_attempt_whose_bot_stops_is_unknown(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: []
    attempt = attempt_on(ami, 5)
    running = asyncio.create_task(attempt.run())
    await until(lambda: "Originate" in manager.names())
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert (await attempt.outcome()).status is Status.UNKNOWN


# --- the table ---


@pytest.mark.parametrize(
    ("reason", "dial", "cause", "sip", "status"),
    [
        (4, "ANSWER", 0, 0, Status.ANSWERED),
        (0, "BUSY", 17, 486, Status.BUSY),
        (0, "NOANSWER", 21, 603, Status.REJECTED),
        (0, "NOANSWER", 21, 403, Status.REJECTED),
        (0, "NOANSWER", 1, 404, Status.INVALID_NUMBER),
        (0, "NOANSWER", 19, 480, Status.NO_ANSWER),
        (0, "CONGESTION", 34, 503, Status.CONGESTION),
        (3, "", 19, 480, Status.NO_ANSWER),
        (0, "", 0, 0, Status.FAILED),
        (5, "BUSY", 0, 0, Status.BUSY),
        (0, "CHANUNAVAIL", 20, 0, Status.UNREACHABLE),
        (0, "CHANUNAVAIL", 0, 0, Status.UNREACHABLE),
        (0, "", 127, 500, Status.FAILED),
    ],
)
def test_the_disposition_table(reason: int, dial: str, cause: int, sip: int, status: Status) -> None:
    verdict = disposition(Evidence(reason=reason, dial=dial, cause=cause, sip=sip))
    assert (verdict.status, verdict.cause, verdict.sip) == (status, cause, sip)


def test_a_cancelled_attempt_is_cancelled_whatever_its_cause() -> None:
    assert disposition(Evidence(reason=0, dial="NOANSWER", cause=16, cancelled=True)).status is Status.CANCELLED


def test_the_farthest_leg_tells_the_cause() -> None:
    evidence = Evidence()
    evidence.hangup("PJSIP/trunk-1", 21, 603, "Call Rejected")
    evidence.hangup("Local/1@x-1;2", 34, 0, "Congestion")
    evidence.hangup("Local/1@x-1;1", 0, 0, "")
    assert (evidence.cause, evidence.sip) == (21, 603)


def test_an_attempt_without_a_channel_says_where_to_look() -> None:
    assert "outbound context" in disposition(Evidence(reason=0)).detail


def test_a_hole_in_the_dialplan_says_nothing_of_the_number() -> None:
    evidence = Evidence(reason=0)
    evidence.hangup("Local/1@agi-bot-outbound-1;2", 3, 0, "No route to destination")
    assert disposition(evidence).status is Status.FAILED
    assert "AGI_BOT_ROUTES" in disposition(evidence).detail


def test_a_network_without_a_route_is_told_as_it_is() -> None:
    evidence = Evidence(reason=0)
    evidence.hangup("PJSIP/trunk-1", 3, 0, "No route to destination")
    evidence.hangup("Local/1@agi-bot-outbound-1;2", 3, 0, "No route to destination")
    assert disposition(evidence).status is Status.UNREACHABLE

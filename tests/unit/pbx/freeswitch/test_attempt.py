"""Outbound attempts against a fake event socket: causes, at most once, lost links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from agi_bot.contracts import EARLY_MEDIA, Disposition, Status
from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx
from agi_bot.pbx.freeswitch import attempt as early_attempt
from agi_bot.pbx.freeswitch.disposition import BY_CAUSE, Evidence, disposition
from esl.testing import FakeFreeSwitch


@pytest.fixture
async def fake() -> AsyncIterator[FakeFreeSwitch]:
    answers = {"version": "FreeSWITCH Version 1.10.12-release", "uuid_kill": "+OK", "hostname": "here"}
    async with FakeFreeSwitch(answers=dict(answers)) as fake:
        yield fake


@pytest.fixture
async def pbx(fake: FakeFreeSwitch) -> AsyncIterator[FreeSwitchPbx]:
    options = FreeSwitchOptions(port=0, esl_port=fake.port, esl_password="secret", command_timeout_s=3.0)
    pbx = FreeSwitchPbx(options)
    await pbx.start()
    yield pbx
    await pbx.close()


def dialled(fake: FakeFreeSwitch) -> list[str]:
    return [line for line in fake.lines() if line.startswith("bgapi originate")]


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def outcome(pbx: FreeSwitchPbx, **options: object) -> Disposition:
    attempt = await pbx.originate("13800138000", call_id=str(uuid4()), **options)  # type: ignore[arg-type]
    return await asyncio.wait_for(attempt.outcome(), 30)


@pytest.mark.parametrize(
    ("cause", "status", "q850"),
    [
        ("USER_BUSY", Status.BUSY, 17), ("CALL_REJECTED", Status.REJECTED, 21), ("NO_ANSWER", Status.NO_ANSWER, 19),
        ("UNALLOCATED_NUMBER", Status.INVALID_NUMBER, 1), ("NO_USER_RESPONSE", Status.NO_ANSWER, 18),
        ("NORMAL_TEMPORARY_FAILURE", Status.CONGESTION, 41), ("NO_ROUTE_DESTINATION", Status.UNREACHABLE, 3),
        ("INVALID_GATEWAY", Status.FAILED, 0), ("SOMETHING_NEW", Status.FAILED, 0),
    ],
)  # fmt: skip
async def test_causes(fake: FakeFreeSwitch, pbx: FreeSwitchPbx, cause: str, status: Status, q850: int) -> None:
    fake.answers["originate"] = f"-ERR {cause}\n"
    verdict = await outcome(pbx)
    assert (verdict.status, verdict.cause) == (status, q850)
    assert verdict.detail.startswith(cause)


async def test_the_sip_status_comes_from_the_hang_up_event(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    call_id = str(uuid4())

    async def refuse(_: str) -> str:
        told = {"Event-Name": "CHANNEL_HANGUP_COMPLETE", "Unique-ID": call_id, "Hangup-Cause": "USER_BUSY"}
        fake.fire({**told, "variable_sip_term_status": "486"})
        return "-ERR USER_BUSY\n"

    fake.answers["originate"] = refuse
    attempt = await pbx.originate("1", call_id=call_id)
    assert await attempt.outcome() == Disposition(Status.BUSY, 17, 486, "USER_BUSY")


async def test_an_answer(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    fake.answers["originate"] = "+OK 7f\n"
    assert (await outcome(pbx)).answered


async def test_what_is_sent(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    fake.answers["originate"] = "-ERR USER_BUSY\n"
    variables = {"BOT_FLOW": "reminder", "NAME": "张伟, \"(x) \\y'"}
    attempt = await pbx.originate("138", call_id="id-1", caller_id="400", ring_timeout_s=20, variables=variables)
    await attempt.outcome()
    [line] = dialled(fake)
    here = f"agi_bot_port='{pbx.port}'"  # a bot on any free port tells the dialplan where it is
    assert line.startswith(f"bgapi originate {{BOT_NUMBER='138',{here},BOT_FLOW='reminder',origination_uuid='id-1',")
    assert "originate_timeout='20'" in line
    assert "ignore_early_media='true'" in line
    assert "NAME" not in line  # it needs quoting that FreeSWITCH does not have: set on arrival
    assert line.endswith("}sofia/gateway/trunk/138 answered XML agi_bot")


async def test_the_link_breaks_while_it_rings_and_nothing_is_dialled_again(
    fake: FakeFreeSwitch, pbx: FreeSwitchPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agi_bot.pbx.freeswitch.attempt.LATE_S", 0.2)
    fake.answers["originate"] = _never
    attempt = await pbx.originate("1", call_id="id-1", ring_timeout_s=1)
    await until(lambda: dialled(fake))
    await fake.drop()
    verdict = await asyncio.wait_for(attempt.outcome(), 30)
    assert verdict.status is Status.UNKNOWN
    assert len(dialled(fake)) == 1


async def test_the_link_breaks_and_the_hang_up_event_still_tells(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    fake.answers["originate"] = _never
    attempt = await pbx.originate("1", call_id="id-1", ring_timeout_s=30)
    await until(lambda: dialled(fake))
    await fake.drop()
    client = pbx.client
    assert client is not None
    await until(lambda: client.generation == 2)
    fake.fire({"Event-Name": "CHANNEL_HANGUP_COMPLETE", "Unique-ID": "id-1", "Hangup-Cause": "USER_BUSY"})
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status is Status.BUSY
    assert len(dialled(fake)) == 1


async def test_a_silent_freeswitch(fake: FakeFreeSwitch, pbx: FreeSwitchPbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.pbx.freeswitch.attempt.LATE_S", 0.1)
    fake.silent = True
    assert (await outcome(pbx, ring_timeout_s=0.1)).status is Status.UNKNOWN
    assert len(dialled(fake)) == 1


async def _never(_: str) -> str:
    await asyncio.Event().wait()
    return ""


async def test_without_a_link_it_is_surely_not_sent(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    await fake.stop()
    await until(lambda: pbx.client is not None and not pbx.client.connected)
    with pytest.raises(PbxDown, match="not connected"):
        await pbx.originate("1", call_id="id-1")
    assert dialled(fake) == []


async def test_cancelling(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    cancelled = asyncio.Event()

    async def ring(_: str) -> str:
        await cancelled.wait()
        return "-ERR ORIGINATOR_CANCEL\n"

    def kill(_: str) -> str:
        cancelled.set()
        return "+OK"

    fake.answers |= {"originate": ring, "uuid_kill": kill}
    attempt = await pbx.originate("1", call_id="id-1")
    await attempt.cancel()
    assert (await attempt.outcome()).status is Status.CANCELLED
    await attempt.cancel()


@pytest.mark.parametrize("number", ["1/2", "1,2", "1{a=b}2", "1 2", "1&2", "'1'", "", "1\n", "$1", "1|2", "[1]", "<1>"])
async def test_numbers_that_would_change_the_dial_string(fake: FakeFreeSwitch, pbx: FreeSwitchPbx, number: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        await pbx.originate(number, call_id="id-1")
    assert dialled(fake) == []


@pytest.mark.parametrize("caller_id", ["4'00", "4,00", "{x}", "a\nb"])
async def test_caller_ids_that_would_change_the_dial_string(pbx: FreeSwitchPbx, caller_id: str) -> None:
    with pytest.raises(ValueError, match=r"caller id|line end"):
        await pbx.originate("1", call_id="id-1", caller_id=caller_id)


async def test_a_call_id_is_placed_once(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    fake.answers["originate"] = _never
    await pbx.originate("1", call_id="id-1")
    with pytest.raises(PbxError, match="placed already"):
        await pbx.originate("1", call_id="id-1")


async def test_a_login_that_fails_is_told_with_its_cure() -> None:
    async with FakeFreeSwitch(password="other") as fake:
        pbx = FreeSwitchPbx(FreeSwitchOptions(port=0, esl_port=fake.port, esl_password="wrong"))
        with pytest.raises(PbxDown, match=r"password.*event_socket\.conf\.xml"):
            await pbx.start()


async def test_a_port_in_use_is_told_with_its_cure(pbx: FreeSwitchPbx) -> None:
    other = FreeSwitchPbx(FreeSwitchOptions(port=pbx.port))
    with pytest.raises(PbxDown, match="listen_port"):
        await other.start()


def test_the_table_knows_the_numbers_of_q850() -> None:
    assert {number for _, number in BY_CAUSE.values() if number <= 127} >= {1, 3, 16, 17, 18, 19, 21, 34, 41, 42}
    assert disposition(Evidence("USER_BUSY", 486, cancelled=True)).status is Status.CANCELLED


async def test_early_media_is_asked_for_in_the_originate(fake: FakeFreeSwitch, pbx: FreeSwitchPbx) -> None:
    fake.answers["originate"] = "-ERR USER_BUSY\n"
    await outcome(pbx, variables={EARLY_MEDIA: "/tmp/early/id.wav"})
    await outcome(pbx, variables={EARLY_MEDIA: "/tmp/a 'b/id.wav"})
    heard, unheard = dialled(fake)
    assert "ignore_early_media='consume'" in heard
    assert "execute_on_answer='stop_record_session /tmp/early/id.wav'" in heard
    assert "ignore_early_media='true'" in unheard
    assert "execute_on_answer" not in unheard


async def test_a_recording_is_tried_again_until_the_channel_has_sound(
    fake: FakeFreeSwitch, pbx: FreeSwitchPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_attempt, "RECORD_PAUSE_S", 0.001)
    assert pbx.client is not None
    order = early_attempt.Order("id-1", "138", 1.0, {EARLY_MEDIA: "/tmp/id-1.wav"})
    attempt = early_attempt.Attempt(pbx.client, order)
    answers = iter(["-ERR Cannot record session!\n", "-ERR Cannot record session!\n", "+OK Success\n"])
    fake.answers["uuid_record"] = lambda *_: next(answers)
    await attempt.hears()
    asked = [line for line in fake.lines() if "uuid_record" in line]
    assert asked == ["api uuid_record id-1 start /tmp/id-1.wav 90"] * 3

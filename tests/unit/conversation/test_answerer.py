"""Who answered a call that we placed, and what is done about it: whole conversations in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Intent
from agi_bot.conversation import Plan
from agi_bot.conversation.answerer import LISTEN_MS
from agi_bot.errors import SpeechError
from agi_bot.flow.events import Action, End, Event, Heard, Listen, Say, Silent, Span, Started
from tests.unit.conversation.stage import Says, Stage, noise, quiet

GREETING = "您好这里是医院您能来吗"
MESSAGE = (Span("请回电话"),)
LEAVE = Plan("leave_message", message=MESSAGE)
YES = {"是的": Intent("affirm", 0.95, engine="table")}
MAILBOX = "您好我现在不方便接听请在提示音后留言"


def asks(event: Event) -> list[Action]:
    match event:
        case Started():
            return [Say(1, (Span(GREETING),)), Listen("ask", expected=("affirm",), silence_ms=20_000)]
        case Heard(intent=intent):
            return [Say(2, (Span("再见"),)), End(intent.name or "unclear")]
        case Silent():
            return [End("silence")]
        case _:
            return []


def tone(ms: int, hz: float = 1000.0) -> list[Frame]:
    wave = (6000 * np.sin(2 * np.pi * hz * np.arange(ms * 8) / 8000)).astype("<i2")
    return [Frame(wave[at : at + 160].tobytes()) for at in range(0, ms * 8, 160)]


def sound(*parts: list[Frame]) -> Callable[[Stage], Coroutine[Any, Any, None]]:
    async def far_end(stage: Stage) -> None:
        await stage.speak(*parts, quiet(60_000))

    return far_end


def said(stage: Stage) -> str:
    return "".join(turn.said for turn in stage.record.turns)


def test_a_machine_is_hung_up_on_as_soon_as_its_words_tell() -> None:
    stage = Stage(asks, [Says(MAILBOX)], plan=Plan())
    record = stage.play(sound(quiet(300), noise(2600), quiet(1000), tone(400)))
    assert (record.outcome, record.ended_by, record.answered_by) == ("machine", "bot", "machine")
    assert record.answered_by_why.startswith("words: ")
    assert record.answered_by_ms is not None
    assert 1500 < record.answered_by_ms < 3500
    assert stage.call.ended_by == "hung up"
    assert stage.script.kinds().count("Heard") == 0


def test_the_message_is_left_after_the_tone() -> None:
    stage = Stage(asks, [Says(MAILBOX)], plan=LEAVE)
    sent_at: list[int] = []

    async def far_end(stage: Stage) -> None:
        await stage.speak(quiet(300), noise(2600), quiet(900), tone(400))
        sent_at.append(len(stage.call.played))
        await stage.speak(quiet(30_000))

    record = stage.play(far_end)
    assert (record.outcome, record.answered_by) == ("message_left", "machine")
    assert record.turns[-1].said.endswith("请回电话")
    assert len(stage.call.played) - sent_at[0] == len("请回电话") * 10, (
        "all of the message, and nothing before the tone"
    )


def test_a_machine_without_a_tone_gets_the_message_after_a_silence() -> None:
    stage = Stage(asks, [Says(MAILBOX)], plan=LEAVE)
    record = stage.play(sound(quiet(300), noise(2600)))
    assert record.outcome == "message_left"


def test_a_machine_that_hangs_up_on_us_is_a_machine() -> None:
    stage = Stage(asks, [Says(MAILBOX)], plan=LEAVE)

    async def far_end(stage: Stage) -> None:
        await stage.speak(quiet(300), noise(2600), quiet(400))
        stage.call.caller_hangs_up()

    record = stage.play(far_end)
    assert (record.outcome, record.ended_by) == ("machine", "caller")


def test_a_machine_that_never_stops_is_left() -> None:
    lines = [Says(MAILBOX), *[Says("谢谢")] * 60]
    stage = Stage(asks, lines, plan=LEAVE)
    parts = [part for _ in range(60) for part in (noise(1200), quiet(300))]
    assert stage.play(sound(quiet(300), noise(2600), *parts)).outcome == "machine"


def test_a_campaign_may_go_on_with_a_machine() -> None:
    stage = Stage(asks, [Says(MAILBOX)], plan=Plan("continue"))
    record = stage.play(sound(quiet(300), noise(2600)))
    assert record.answered_by == "machine"
    assert record.outcome == "unclear", "the dialogue decided"


def test_a_person_is_never_kept_waiting_nor_taken_for_a_machine() -> None:
    stage = Stage(asks, [Says("喂"), Says("是的")], YES, plan=LEAVE)

    async def person(stage: Stage) -> None:
        await stage.speak(quiet(200), noise(160), quiet(3500), noise(300), quiet(4000))

    record = stage.play(person)
    assert stage.call.played, "the greeting began at once"
    assert record.answered_by == "human"
    assert record.outcome in ("affirm", "unclear")


def test_timing_alone_is_only_noted() -> None:
    stage = Stage(asks, [Says("你好这里是市场部小张请问您找哪一位我们今天休息有事请下周再打过来好吗")], plan=LEAVE)
    record = stage.play(sound(noise(4600)))
    assert record.answered_by == "machine"
    assert not record.answered_by_why.startswith("words")
    assert record.outcome == "unclear", "the conversation was had"


def test_a_campaign_may_hang_up_by_timing() -> None:
    stage = Stage(asks, [Says("你好" * 20)], plan=Plan(by_timing=True))
    record = stage.play(sound(noise(4600)))
    assert (record.outcome, record.answered_by) == ("machine", "machine")


def test_who_answers_the_bot_is_a_person() -> None:
    long = "是的我是他的家人他今天在上班我会告诉他按时来的请放心谢谢你们再见了啊今天真是辛苦你们"
    stage = Stage(asks, [Says(long)], {long: Intent("affirm", 0.9)}, plan=Plan())
    record = stage.play(sound(noise(4600)))
    assert (record.answered_by, record.answered_by_why) == ("human", "answered the bot")


@pytest.mark.parametrize(
    ("announced", "outcome"),
    [("您拨打的号码是空号请核对后再拨", "invalid_number"), ("您拨打的用户已关机", "unreachable")],
)
def test_an_announcement_after_the_answer_says_what_the_number_is(announced: str, outcome: str) -> None:
    stage = Stage(asks, [Says(announced)], plan=Plan("continue"))
    record = stage.play(sound(quiet(200), noise(100 * len(announced) + 200)))
    assert (record.outcome, record.answered_by) == (outcome, "network")


def test_a_busy_tone_after_the_answer() -> None:
    stage = Stage(asks, [], plan=Plan())
    busy = [part for _ in range(6) for part in (tone(360, 450.0), quiet(360))]
    record = stage.play(sound(quiet(200), *busy))
    assert (record.outcome, record.answered_by, record.answered_by_why) == ("busy", "network", "tone: busy")


def test_a_screener_is_told_who_calls_and_the_person_is_greeted_from_the_beginning() -> None:
    lines = [Says("请说出您的姓名和来意"), Says("请稍等"), Says("喂"), Says("是的")]
    stage = Stage(asks, lines, YES, plan=Plan(introduction=(Span("我是医院"),)))

    async def screener(stage: Stage) -> None:
        await stage.speak(quiet(200), noise(1200), quiet(4000), noise(500), quiet(5000))
        await stage.speak(noise(300), quiet(4000), noise(400), quiet(4000))

    record = stage.play(screener)
    assert (record.answered_by, record.answered_by_why) == ("human", "came after the call screening")
    assert record.outcome == "affirm"
    assert said(stage).count("我是医院") == 1
    assert record.turns[-1].said == "再见"
    assert any(turn.said == GREETING for turn in record.turns[1:])


def test_a_screener_whose_owner_does_not_come_is_left() -> None:
    stage = Stage(asks, [Says("请说出您的姓名和来意")], plan=Plan(introduction=(Span("我是医院"),)))
    record = stage.play(sound(quiet(200), noise(1200)))
    assert (record.outcome, record.answered_by) == ("machine", "screening")


def test_a_message_that_cannot_be_spoken_is_no_message_left() -> None:
    stage = Stage(asks, [Says(MAILBOX)], plan=LEAVE)
    stage.voice.broken = {"请回电话": SpeechError("no voice")}
    record = stage.play(sound(quiet(300), noise(2600), quiet(900), tone(400)))
    assert record.outcome == "machine"


def test_late_in_the_call_nobody_is_taken_for_a_machine() -> None:
    stage = Stage(asks, [Says("您好请在提示音后留言")], plan=Plan())
    record = stage.play(sound(quiet(LISTEN_MS), noise(1500)))
    assert record.outcome in ("unclear", "silence")


def test_calls_that_come_in_have_no_desk() -> None:
    stage = Stage(asks, [Says(MAILBOX)])
    record = stage.play(sound(quiet(300), noise(2600)))
    assert (record.answered_by, record.outcome) == ("", "unclear")

"""Limits that a step has of its own."""

from __future__ import annotations

from agi_bot.speech.turn_settings import StepSettings
from agi_bot.speech.turns import Act, Now, Question, TurnSettings, TurnTaker
from tests.unit.speech.scene import DATE, SETTINGS, YES_NO, Scene, intent


def waited(asks: Question, text: str = "我看那个", settings: TurnSettings = SETTINGS) -> int:
    """Silence after which the turn of one who says ``text`` ended, ms."""
    return Scene(asks, settings=settings).say(text).hush(6000).last.silence_ms


def test_an_open_end_is_waited_for_as_the_step_says() -> None:
    assert waited(YES_NO) == SETTINGS.open_ms
    assert waited(Question(expected=("affirm",), turns={"open_ms": 2000})) == 2000
    assert waited(Question(turns={"normal_ms": 700}), "我看") == 700


def test_they_go_over_patience_and_over_the_settings_of_the_call() -> None:
    limits = {"open_ms": 600}
    assert waited(Question(patience_ms=2400)) == 2400
    assert waited(Question(patience_ms=2400, turns=limits)) == 600
    assert waited(Question(patience_ms=2400, turns=limits), "我看") == 2400
    assert waited(Question(turns=limits), settings=TurnSettings(open_ms=3000)) == 600


def test_they_end_with_the_step() -> None:
    scene = Scene(Question(turns={"open_ms": 2000}))
    assert scene.say("我看那个").hush(3000).last.silence_ms == 2000
    scene.asks = YES_NO
    assert scene.say("我看那个").hush(3000).last.silence_ms == SETTINGS.open_ms
    scene.asks = DATE
    assert scene.say("我看").hush(3000).last.silence_ms == SETTINGS.value_ms


def test_the_longest_turn_and_the_pause_of_a_speaking_bot_too() -> None:
    asks = Question(expected=("affirm",), turns={"max_turn_ms": 3000, "pause_ms": 300})
    scene = Scene(asks, bot=True).say("我", 400)
    assert scene.at(Act.PAUSE) == 320
    scene = Scene(asks)
    for count in range(1, 30):
        scene.say("说" * count, 160)
    assert scene.at(Act.TOO_LONG) == 3020


def test_sounds_further_apart_than_the_step_says_are_not_one_voice() -> None:
    """Sounds of 60 ms, 120 ms apart, which the usual gap takes for one voice."""

    def pauses(asks: Question) -> bool:
        taker, paused = TurnTaker(), False
        for now_ms in range(20, 1000, 20):
            at = now_ms % 180
            began = now_ms - at
            now = Now(now_ms, at <= 60, bot_speaking=True)
            paused |= taker.update(now, asks, from_ms=began, to_ms=min(now_ms, began + 60)).act is Act.PAUSE
        return paused

    assert pauses(YES_NO)
    assert not pauses(Question(expected=("affirm",), turns={"gap_ms": 100}))


def test_who_may_not_be_interrupted_is_not_by_a_step_with_limits() -> None:
    scene = Scene(Question(turns={"pause_ms": 20}), settings=TurnSettings(barge_in=False), bot=True)
    scene.meanings = {"我要改时间": intent("reschedule")}
    assert scene.say("我要改时间").acts == []


def test_settings_are_put_together_once_for_a_step() -> None:
    together = StepSettings(SETTINGS)
    limits = {"open_ms": 2000}
    first = together.of(900, limits)
    assert together.of(900, limits) is first
    assert (first.open_ms, first.sure_ms, first.max_turn_ms) == (2000, 900, SETTINGS.max_turn_ms)
    assert together.of(0, {}) == SETTINGS

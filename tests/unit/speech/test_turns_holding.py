"""Turns that are not ended, and pauses that are not given up, because a voice may go on."""

from __future__ import annotations

import pytest

from agi_bot.speech.turns import Act, Question
from tests.unit.speech.scene import DATE, SETTINGS, Scene, intent

REFUSAL = {"我那天没空": intent("reschedule", 0.95)}
RESCHEDULE = Question(expected=("affirm", "reschedule"))


@pytest.mark.parametrize("known", [{"rising": True}, {"certain": True}], ids=str)
def test_a_turn_does_not_end_while_the_caller_may_be_going_on(known: dict[str, bool]) -> None:
    scene = Scene(RESCHEDULE, meanings=REFUSAL)
    scene.say("我那天没空").hush(300).hush(120, **known)
    assert scene.acts == []
    scene.say("我那天没空能改吗").hush(1000)
    assert scene.acts == [Act.END]
    assert scene.last.from_ms == 20


def test_sound_that_is_no_voice_holds_a_turn_no_longer_than_that() -> None:
    scene = Scene(RESCHEDULE, meanings=REFUSAL).say("我那天没空")
    ended = scene.now_ms
    scene.hush(1000, rising=True)
    assert scene.acts == [Act.END]
    assert scene.at(Act.END) - ended == SETTINGS.sure_ms + SETTINGS.rise_ms


def test_sound_before_the_silence_is_over_costs_nothing() -> None:
    quiet = Scene(RESCHEDULE, meanings=REFUSAL).say("我那天没空").hush(1000)
    click = Scene(RESCHEDULE, meanings=REFUSAL).say("我那天没空").hush(200, rising=True).hush(800)
    assert click.at(Act.END) == quiet.at(Act.END)


def test_a_yes_is_no_quick_end_where_a_date_is_asked() -> None:
    """星期五 whose rest is lost in noise is heard as 行."""
    meanings = {"行": intent("affirm", 0.99), "行星期五下午四点": intent("inform", 0.9, "datetime")}
    asks = Question(expected=("affirm",), needed=DATE.needed)
    scene = Scene(asks, meanings=meanings).say("行").hush(SETTINGS.sure_ms - 40)
    assert scene.acts == []
    scene.say("行星期五下午四点").hush(SETTINGS.quick_ms + 20)
    assert (scene.last.act, scene.last.why) == (Act.END, "complete")


def test_a_voice_without_words_keeps_the_bot_silent_where_it_is_no_doubt_a_voice() -> None:
    doubtful = Scene(bot=True, left_ms=5000).play(600, speech=True)
    assert doubtful.acts == [Act.PAUSE, Act.GO_ON]
    sure = Scene(bot=True, left_ms=5000).play(600, speech=True, certain=True)
    assert sure.acts == [Act.PAUSE]
    sure.play(200, speech=True, certain=True)
    assert sure.acts == [Act.PAUSE, Act.STOP]


def over_the_bot(text: str, meaning: str = "", language: str = "zh-CN", **known: bool) -> Scene:
    meanings = {text: intent(meaning)} if meaning else {}
    scene = Scene(bot=True, left_ms=5000, meanings=meanings, language=language)
    return scene.play(240, speech=True, partial=text).hush(100, **known)


def test_foreign_words_stop_the_bot_only_where_they_are_understood() -> None:
    """A cough over a Mandarin prompt is heard as "that's" or "say that again"."""
    assert over_the_bot("that's").hush(200).acts == [Act.PAUSE, Act.RESUME]
    assert over_the_bot("hello", "greet").acts == [Act.PAUSE, Act.STOP]
    assert over_the_bot("that's", language="en").acts == [Act.PAUSE, Act.STOP]


def test_foreign_words_hold_the_bot_back_no_longer_than_none() -> None:
    scene = Scene(bot=True, left_ms=5000).play(600, speech=True, partial="half past")
    assert scene.acts == [Act.PAUSE, Act.GO_ON]
    assert scene.at(Act.GO_ON) - scene.at(Act.PAUSE) == SETTINGS.doubt_ms


def test_words_that_go_on_are_no_backchannel() -> None:
    """我 ... 要改时间, with a gap in which the line's noise hides the voice."""
    assert over_the_bot("我", "callback", rising=True).acts == [Act.PAUSE]
    assert over_the_bot("我", "callback", rising=False).acts == [Act.PAUSE, Act.RESUME]

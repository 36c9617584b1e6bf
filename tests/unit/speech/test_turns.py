"""Whose turn is it: told as little scenes in virtual time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agi_bot.errors import ConfigError
from agi_bot.flow.events import Listen
from agi_bot.speech.turns import PRESETS, Act, Now, Question, TurnSettings, TurnTaker
from tests.unit.speech.scene import DATE, SETTINGS, YES_NO, Scene, intent

# --- end of turn -------------------------------------------------------------------------


def test_nothing_happens_in_silence() -> None:
    assert Scene().hush(10_000).decisions == []


def test_an_answer_that_was_expected_ends_the_turn_quickly() -> None:
    scene = Scene(meanings={"可以": intent("affirm")}).say("可以", 400).hush(2000)
    assert scene.acts == [Act.END]
    assert (scene.last.why, scene.last.silence_ms) == ("complete", 180)
    assert (scene.last.from_ms, scene.last.to_ms) == (20, 400)


def test_what_is_not_understood_waits_longer() -> None:
    scene = Scene().say("你说什么").hush(2000)
    assert (scene.last.why, scene.last.silence_ms) == ("silence", SETTINGS.normal_ms)


def test_what_is_understood_but_unsure_waits_longer() -> None:
    scene = Scene(meanings={"可以": intent("affirm", 0.4)}).say("可以").hush(2000)
    assert scene.last.why == "silence"


def test_what_is_understood_but_not_asked_waits_longer() -> None:
    scene = Scene(meanings={"你是谁": intent("who_are_you")}).say("你是谁").hush(2000)
    assert scene.last.why == "silence"


@pytest.mark.parametrize("text", ["我那天没空", "不行", "我可以来的时间是下午", "不可以"])
def test_an_answer_after_which_more_may_come_waits_a_little(text: str) -> None:
    """Whoever says no goes on to say why; a clause is no end."""
    scene = Scene(meanings={text: intent("deny")}).say(text).hush(2000)
    assert (scene.last.why, scene.last.silence_ms) == ("answered", SETTINGS.sure_ms)


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh-CN", "嗯可以"), ("zh-CN", "能改到后天下午三点吗"), ("zh-CN", "我不去了谢谢"), ("en", "um yes of course"),
     ("en", "no thank you"), ("en", "call me tomorrow please")],
)  # fmt: skip
def test_a_sentence_that_is_closed_ends_quickly(language: str, text: str) -> None:
    scene = Scene(YES_NO, language, meanings={text: intent("affirm")}).say(text).hush(2000)
    assert scene.last.why == "complete"


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh-CN", "我想那个"), ("zh-CN", "嗯"), ("zh-CN", "可以但是"), ("zh-CN", "号码是"), ("en", "my number is"),
     ("en", "yes but"), ("en", "um"), ("en", "i would like to")],
)  # fmt: skip
def test_an_open_end_waits(language: str, text: str) -> None:
    scene = Scene(Question(), language, meanings={text: intent("affirm")}).say(text).hush(3000)
    assert (scene.last.act, scene.last.why, scene.last.silence_ms) == (Act.END, "open", SETTINGS.open_ms)


@pytest.mark.parametrize("text", ["button", "island", "he has a plan"])
def test_a_word_that_only_ends_like_an_open_one_does_not_wait(text: str) -> None:
    assert Scene(Question(), "en").say(text).hush(3000).last.why == "silence"


def test_asking_to_wait_is_granted() -> None:
    scene = Scene().say("等一下").hush(SETTINGS.wait_ms - 100)
    assert scene.acts == []
    assert scene.hush(200).last.why == "asked_to_wait"


def test_a_missing_date_has_patience_and_a_found_one_is_quick() -> None:
    assert Scene(DATE).say("改到").hush(3000).last.silence_ms == SETTINGS.open_ms
    assert Scene(DATE).say("明年吧").hush(3000).last.why == "value_missing"
    found = {"后天下午三点": intent("inform", 0.9, "datetime")}
    assert Scene(DATE, meanings=found).say("后天下午三点").hush(3000).last.why == "complete"


def test_a_date_and_a_time_are_a_point_in_time() -> None:
    found = {"后天三点": intent("inform", 0.9, "date", "time")}
    assert Scene(DATE, meanings=found).say("后天三点").hush(3000).last.why == "complete"
    half = {"后天": intent("inform", 0.9, "date")}
    assert Scene(DATE, meanings=half).say("后天").hush(3000).last.why == "value_missing"


@pytest.mark.parametrize(("kind", "why"), [("number", "silence"), ("phone", "answered"), ("date", "complete")])
def test_numbers_come_in_groups(kind: str, why: str) -> None:
    """138 ... 1234 ...: a number may grow; a telephone number is found only when it is whole."""
    asks = Question(needed=(kind,))
    found = {"一三八": intent("inform", 0.9, kind), "一三八零零一三": intent("inform", 0.9, kind)}
    scene = Scene(asks, meanings=found).say("一三八").hush(160)
    assert scene.acts == []
    assert scene.say("一三八零零一三").hush(3000).last.why == why
    assert scene.acts == [Act.END]


def test_an_expected_intent_answers_a_step_that_also_wants_a_value() -> None:
    asks = Question(expected=("deny",), needed=("datetime",))
    assert Scene(asks, meanings={"不用了": intent("deny")}).say("不用了").hush(3000).last.why == "answered"
    found = {"后天三点": intent("deny", 0.9, "datetime")}
    assert Scene(asks, meanings=found).say("后天三点").hush(3000).last.why == "complete"


def test_a_pause_inside_a_sentence_does_not_end_it() -> None:
    scene = Scene().say("我那天没空").hush(340).say("我那天没空能改到后天下午三点吗").hush(2000)
    assert scene.acts == [Act.END]
    assert scene.last.to_ms == scene.decisions[-1][0] - scene.last.silence_ms


def test_a_cough_is_dropped() -> None:
    scene = Scene().play(200, speech=True).hush(2000)
    assert (scene.acts, scene.last.why) == ([Act.DROP], "no_words")


def test_speech_that_was_not_heard_is_asked_for_again() -> None:
    scene = Scene().play(600, speech=True).hush(2000)
    assert (scene.acts, scene.last.why) == ([Act.END], "no_words")


def test_a_hum_is_a_yes_that_may_be_the_breath_before_something_else() -> None:
    scene = Scene(meanings={"嗯": intent("affirm")}).say("嗯", 200).hush(2000)
    assert (scene.last.why, scene.last.silence_ms) == ("answered", SETTINGS.sure_ms)
    asks = Question(expected=("affirm",), needed=("datetime",))
    scene = Scene(asks, meanings={"嗯": intent("affirm")}).say("嗯", 200).hush(600)
    assert scene.acts == []


def test_who_never_stops_is_interrupted_in_the_end() -> None:
    scene = Scene()
    for count in range(1, 200):
        scene.say("说" * count, 160)
        if scene.acts:
            break
    assert scene.acts == [Act.TOO_LONG]
    assert scene.now_ms - 20 == pytest.approx(SETTINGS.max_turn_ms, abs=200)


def test_a_steps_own_patience_rules() -> None:
    patient = Question(expected=("affirm",), patience_ms=1500)
    scene = Scene(patient, meanings={"可以": intent("affirm"), "我看": intent("")})
    assert scene.say("我看").hush(1400).acts == []
    assert scene.hush(200).last.silence_ms == 1500
    hasty = Question(patience_ms=120)
    assert Scene(hasty).say("我看").hush(1000).last.silence_ms == 120


def test_the_presets_are_in_order() -> None:
    for limit in ("quick_ms", "sure_ms", "normal_ms", "value_ms", "open_ms"):
        values = [getattr(PRESETS[name], limit) for name in ("quick", "normal", "patient")]
        assert values == sorted(values)


def test_stable_partials_are_understood_before_the_end_and_only_once() -> None:
    scene = Scene().say("我", 40).say("我那天", 200).say("我那天没空", 300).hush(2000)
    assert scene.understood == ["我那天", "我那天没空"]


def test_a_turn_is_judged_by_what_it_is_waiting_for_as_a_flow_tells_it() -> None:
    """The promise Asks is kept by the dialogue's own Listen."""
    now = Now(1000, True, "可以")
    assert TurnTaker().update(now, Listen("step", expected=("affirm",))).act is Act.NOTHING


# --- always ------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["", "嗯", "可以", "我那天没空", "然后", "等一下", "yes but"]),
        st.integers(1, 40),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


def run(steps: Iterable[tuple[bool, str, int, bool, bool]]) -> Scene:
    scene = Scene(meanings={"可以": intent("affirm")})
    for speech, partial, count, bot_speaks, interruptible in steps:
        scene.bot, scene.interruptible = bot_speaks, interruptible
        scene.play(20 * count, speech=speech, partial=partial)
    return scene


@hypothesis_settings(deadline=None)
@given(STEPS)
def test_every_turn_ends_at_last(steps: list[tuple[bool, str, int, bool, bool]]) -> None:
    scene = run(steps)
    scene.bot = False
    scene.hush(SETTINGS.wait_ms + 100)
    assert not scene.taker.in_turn


@hypothesis_settings(deadline=None)
@given(STEPS)
def test_decisions_make_sense(steps: list[tuple[bool, str, int, bool, bool]]) -> None:
    paused = False
    for now, decision in run(steps).decisions:
        assert decision.why
        assert 0 <= decision.from_ms <= decision.to_ms <= now
        if decision.act is Act.RESUME:
            assert paused, "only a bot that was paused goes on"
        paused = decision.act is Act.PAUSE or (paused and decision.act is Act.STOP)


@hypothesis_settings(deadline=None)
@given(STEPS)
def test_nobody_is_cut_off_while_speaking(steps: list[tuple[bool, str, int, bool, bool]]) -> None:
    for now, decision in run(steps).decisions:
        if decision.act is Act.END:
            assert now - decision.to_ms >= min(SETTINGS.quick_ms, SETTINGS.normal_ms)


def test_who_never_stops_has_one_turn_after_another_of_the_greatest_length() -> None:
    taker = TurnTaker(TurnSettings(max_turn_ms=5000))
    ends = [
        now_ms
        for now_ms in range(20, 16_000, 20)
        if taker.update(Now(now_ms, True, f"{now_ms}"), YES_NO, from_ms=0, to_ms=now_ms).act is Act.TOO_LONG
    ]
    assert ends == [5000, 10_000, 15_000]


def test_every_limit_can_be_set_by_its_name() -> None:
    settings = PRESETS["quick"].with_limits({"max_turn_ms": 9000, "open_ms": 2000})
    assert (settings.max_turn_ms, settings.open_ms, settings.quick_ms) == (9000, 2000, PRESETS["quick"].quick_ms)


@pytest.mark.parametrize(
    ("limits", "says"), [({"max_turn": 1}, "did you mean max_turn_ms"), ({"open_ms": -1}, "from 0 on")]
)
def test_a_limit_that_is_wrong_is_refused_with_a_cure(limits: dict[str, int], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TurnSettings().with_limits(limits)
    assert says in f"{caught.value} {caught.value.cure}"

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


# --- barge-in ----------------------------------------------------------------------------


def bot(**more: object) -> Scene:
    return Scene(bot=True, **more)  # type: ignore[arg-type]


def test_words_stop_the_bot() -> None:
    scene = bot().play(200, speech=True).say("我要改时间")
    assert scene.acts == [Act.PAUSE, Act.STOP]
    assert scene.decisions[0][0] <= 180
    assert scene.last.why == "words"
    scene.hush(2000)
    assert scene.acts[-1] is Act.END


@pytest.mark.parametrize(
    ("language", "text"), [("zh-CN", "嗯"), ("zh-CN", "对对"), ("zh-CN", "好的"), ("en", "yeah"), ("en", "uh huh okay")]
)
def test_a_backchannel_does_not_stop_the_bot(language: str, text: str) -> None:
    scene = bot(language=language, asks=Question()).say(text, 300)
    assert scene.acts == [Act.PAUSE, Act.GO_ON], "the bot goes on while the word is still sounding"
    assert scene.at(Act.GO_ON) - scene.at(Act.PAUSE) <= SETTINGS.nod_ms
    scene.hush(2000)
    assert scene.acts[2:] == [Act.DROP]
    assert scene.last.why == "backchannel"


def test_a_backchannel_that_is_known_at_its_end_lets_the_bot_go_on_at_once() -> None:
    scene = bot(asks=Question()).play(200, speech=True, partial="").hush(0).play(2000, speech=False, partial="嗯")
    assert scene.acts == [Act.PAUSE, Act.RESUME]
    assert scene.last.silence_ms == SETTINGS.backchannel_ms + 4


def test_more_than_a_backchannel_stops_a_bot_that_went_on() -> None:
    scene = bot(asks=Question()).say("好的", 300).say("好的可是我没空", 600)
    assert scene.acts == [Act.PAUSE, Act.GO_ON, Act.PAUSE, Act.STOP]


def test_the_first_guess_at_a_backchannel_cuts_nothing() -> None:
    scene = bot(asks=Question()).say("还", 120).say("好的", 300).hush(1000)
    assert scene.acts == [Act.PAUSE, Act.GO_ON, Act.DROP]


def test_a_backchannel_that_answers_the_question_does() -> None:
    scene = bot(meanings={"好的": intent("affirm")}).say("好的", 400)
    assert Act.STOP in scene.acts


def test_a_backchannel_before_the_question_was_asked_is_no_answer() -> None:
    scene = bot(meanings={"好的": intent("affirm")}, left_ms=4000).say("好的", 400).hush(1000)
    assert Act.STOP not in scene.acts


def test_words_that_begin_as_a_backchannel_stop_the_bot_when_they_go_on() -> None:
    scene = bot(asks=Question()).say("好的", 160).say("好的但是我没空")
    assert scene.acts[-1] is Act.STOP


def test_the_flows_own_backchannel_counts_too() -> None:
    asks = Question(backchannel=("中意",))
    assert Act.STOP not in bot(asks=asks).say("中意", 200).hush(1000).acts
    assert Act.STOP in bot(asks=Question()).say("中意", 240).acts


def test_a_syllable_that_is_still_growing_cuts_nothing() -> None:
    scene = bot(asks=Question()).say("十", 260).say("是的", 160).hush(1000)
    assert scene.acts == [Act.PAUSE, Act.GO_ON, Act.DROP]


def test_a_syllable_that_means_nothing_here_is_let_go_as_soon_as_that_is_known() -> None:
    scene = bot(meanings={"五": intent("inform")}).say("五", 240).hush(1000)
    assert scene.acts == [Act.PAUSE, Act.RESUME]
    assert scene.last.silence_ms <= SETTINGS.false_alarm_ms


def test_a_syllable_that_answers_stops_the_bot_also_when_the_interpreter_is_slow() -> None:
    assert Act.STOP in bot(meanings={"不": intent("deny")}).say("不", 240).hush(1000).acts
    taker, said = TurnTaker(), "不"
    acts = []
    for now_ms in range(20, 1000, 20):
        knows = now_ms >= 400
        now = Now(now_ms, now_ms <= 240, said, intent("deny") if knows else None, said if knows else "", True)
        acts.append(taker.update(now, YES_NO).act)
    assert Act.STOP in acts
    assert Act.RESUME not in acts[: acts.index(Act.STOP)]


def test_a_single_digit_stops_the_bot_where_digits_are_asked_for() -> None:
    assert Act.STOP in bot(asks=Question(needed=("digits",))).say("五", 240).hush(400).acts


def test_a_cough_pauses_and_the_bot_goes_on() -> None:
    scene = bot().play(240, speech=True).hush(2000)
    assert scene.acts == [Act.PAUSE, Act.RESUME]
    assert (scene.last.why, scene.last.silence_ms) == ("no_words", SETTINGS.false_alarm_ms)


def test_clicks_do_not_add_up_to_a_voice() -> None:
    taker = TurnTaker(TurnSettings(pause_ms=160, false_alarm_ms=5000))
    for start in range(0, 6000, 600):
        for now_ms in range(start, start + 600, 20):
            speech = now_ms - start < 160
            to_ms = min(now_ms, start + 100)
            decision = taker.update(Now(now_ms, speech, bot_speaking=True), YES_NO, from_ms=start, to_ms=to_ms)
            assert decision.act is Act.NOTHING


def test_a_click_is_nothing() -> None:
    scene = bot().play(60, speech=True).hush(2000)
    assert scene.acts == [Act.DROP]


def test_who_insists_is_heard_even_without_words() -> None:
    assert bot().play(1000, speech=True).acts == [Act.PAUSE, Act.GO_ON, Act.STOP]


def test_waiting_for_words_is_a_setting() -> None:
    settings = TurnSettings(pause_on_words=True)
    scene = bot(settings=settings).play(300, speech=True)
    assert scene.acts == []
    assert bot(settings=settings).play(100, speech=True).say("我要改", 240).acts == [Act.PAUSE, Act.STOP]


def test_a_sound_without_words_holds_the_bot_back_for_a_moment_only() -> None:
    scene = bot().play(600, speech=True)
    assert scene.acts == [Act.PAUSE, Act.GO_ON]
    assert scene.at(Act.GO_ON) - scene.at(Act.PAUSE) <= SETTINGS.doubt_ms
    assert scene.say("我要改时间").acts[2:] == [Act.PAUSE, Act.STOP]


def test_on_a_line_with_echo_only_words_stop_the_bot() -> None:
    scene = bot(echo=True).play(1200, speech=True)
    assert scene.acts == []
    assert scene.say("我要改时间").acts == [Act.STOP]


def test_after_three_coughs_the_bot_waits_for_words() -> None:
    scene = bot()
    for _ in range(4):
        scene.play(240, speech=True).hush(1000)
    assert scene.acts == [Act.PAUSE, Act.RESUME] * 3 + [Act.DROP]
    assert scene.say("我要改时间").acts[-1] is Act.STOP
    scene.hush(2000).bot = True
    assert scene.play(240, speech=True).acts[-1] is Act.PAUSE, "somebody who talks is there again"


def test_words_that_end_with_the_bots_own_voice_are_an_echo_in_the_end() -> None:
    """What is left of an echo falls silent when the bot does, whatever a recogniser makes of it."""
    scene = bot()
    for text in ("are", "嗯", "up", "may", "个", "he is") * 2:
        scene.play(200, speech=True, partial=text).hush(1000)
        scene.bot = True
    assert scene.acts.count(Act.STOP) <= SETTINGS.alarms
    assert scene.acts.count(Act.PAUSE) <= 2 * SETTINGS.alarms + 1, "one was taken for a nod while it sounded"
    before = len(scene.acts)
    scene.play(3000, speech=True, partial="are he is").hush(1000)
    assert scene.acts[before:] == [Act.DROP]


def test_who_is_understood_stops_the_bot_on_a_line_of_false_alarms() -> None:
    scene = bot(meanings={"我要改时间": intent("reschedule")})
    for _ in range(8):
        scene.play(200, speech=True, partial="are").hush(1000)
        scene.bot = True
    assert scene.say("我要改时间").acts[-1] is Act.STOP
    scene.hush(2000).bot = True
    assert scene.play(240, speech=True, partial="").acts[-1] is Act.PAUSE, "and is heard at once again"


@pytest.mark.parametrize(
    ("language", "said", "heard"),
    [
        ("zh-CN", "请您提前八个小时不要吃东西", "八个小时"),
        ("en", "please do not eat, for eight hours", "eat for eight"),
    ],
)
def test_the_bot_does_not_listen_to_itself(language: str, said: str, heard: str) -> None:
    scene = bot(language=language, bot_text=said, echo=True).play(300, speech=True).say(heard, 900).hush(1000)
    assert scene.acts == [Act.DROP]
    assert scene.last.why == "echo"
    assert Act.STOP in bot(language=language, bot_text="", echo=True).say(heard, 900).acts


def test_a_caller_may_repeat_the_bots_words_on_a_line_without_echo() -> None:
    said = "您可以选择开处方药，做检查，或者转人工，请告诉我"
    scene = bot(bot_text=said, meanings={"转人工": intent("transfer_human")}).say("转人工").hush(600)
    assert scene.acts[:2] == [Act.PAUSE, Act.STOP]


def test_protected_words_are_spoken_to_their_end_and_the_caller_is_heard_then() -> None:
    scene = bot(interruptible=False).say("我要改时间").hush(400)
    assert scene.acts == []
    scene.bot = False
    scene.hush(600)
    assert (scene.acts, scene.last.from_ms) == ([Act.END], 20)


def test_what_begins_over_the_bot_and_goes_on_after_it_is_a_turn() -> None:
    scene = bot(asks=YES_NO, meanings={"是": intent("affirm")})
    scene.play(80, speech=True)
    scene.bot = False
    scene.say("是", 300).hush(1000)
    assert scene.acts == [Act.END]


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


def test_where_nobody_may_interrupt_the_bot_goes_on_and_hears() -> None:
    scene = bot(settings=TurnSettings(barge_in=False)).say("我要改时间").hush(500)
    assert Act.STOP not in scene.acts
    assert Act.PAUSE not in scene.acts

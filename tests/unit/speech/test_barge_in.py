"""Who takes the turn while the bot speaks: told as little scenes in virtual time."""

from __future__ import annotations

import pytest

from agi_bot.speech.turns import Act, Now, Question, TurnSettings, TurnTaker
from tests.unit.speech.scene import SETTINGS, YES_NO, Scene, intent


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


def test_where_nobody_may_interrupt_the_bot_goes_on_and_hears() -> None:
    scene = bot(settings=TurnSettings(barge_in=False)).say("我要改时间").hush(500)
    assert Act.STOP not in scene.acts
    assert Act.PAUSE not in scene.acts

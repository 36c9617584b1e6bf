"""Who answered: by cause, by words, by timing, by tones."""

from __future__ import annotations

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Disposition, Status
from agi_bot.speech.answering import Answerer, AnswerJudge, asks_to_wait, of_cause, of_words
from agi_bot.speech.beep import BeepDetector
from agi_bot.speech.signals import Signal


@pytest.mark.parametrize(
    ("text", "who", "status"),
    [
        ("您好您拨打的号码是空号请核对后再拨", Answerer.NETWORK, Status.INVALID_NUMBER),
        ("您 拨打 的 用户 已 关机", Answerer.NETWORK, Status.UNREACHABLE),
        ("您所拨打的电话已停机", Answerer.NETWORK, Status.UNREACHABLE),
        ("您拨叫的用户正在通话中请稍后再拨", Answerer.NETWORK, Status.BUSY),
        ("您拨打的用户暂时无法接通", Answerer.NETWORK, Status.UNREACHABLE),
        ("您拨打的电话无人接听", Answerer.NETWORK, Status.NO_ANSWER),
        ("The number you have dialed is not in service", Answerer.NETWORK, Status.INVALID_NUMBER),
        ("the subscriber you dialed is powered off", Answerer.NETWORK, Status.UNREACHABLE),
        ("我现在不方便接听请在提示音后留言", Answerer.MACHINE, None),
        ("please leave a message after the tone", Answerer.MACHINE, None),
        ("hi you've reached anna", Answerer.MACHINE, None),
        ("请说出您的姓名和来意", Answerer.SCREENING, None),
        ("please state your name and why you are calling", Answerer.SCREENING, None),
        ("喂你好", Answerer.UNKNOWN, None),
        ("我的手机关机了你打我另一个号码", Answerer.UNKNOWN, None),
        ("hello who's there", Answerer.UNKNOWN, None),
    ],
)
def test_words(text: str, who: Answerer, status: Status | None) -> None:
    found = of_words(text)
    assert (found.who, found.status) == (who, status)


def test_before_the_answer_only_the_network_speaks() -> None:
    assert of_words("已关机", early=True).status is Status.UNREACHABLE
    assert of_words("已关机").who is Answerer.UNKNOWN


def test_cause() -> None:
    gone = of_cause(Disposition(Status.INVALID_NUMBER, cause=1, sip=404))
    assert (gone.who, gone.status, gone.why) == (Answerer.NETWORK, Status.INVALID_NUMBER, "cause 1, sip 404")
    assert not of_cause(Disposition(Status.ANSWERED)).certain
    assert not of_cause(Disposition(Status.UNKNOWN)).certain


def spoke(judge: AnswerJudge, *spans: tuple[int, int], until: int = 0) -> AnswerJudge:
    """Speech in ``spans`` (ms), the time told every 20 ms."""
    for now in range(0, max(until, spans[-1][1] if spans else 0) + 1, 20):
        for start, end in spans:
            if now == start:
                judge.speech_started(now)
            if now == end:
                judge.speech_ended(now)
        judge.passed(now)
    return judge


def test_a_short_word_and_a_wait_is_a_human() -> None:
    judge = spoke(AnswerJudge(), (600, 900), until=1680)
    assert not judge.verdict.certain
    judge.passed(1700)
    assert judge.verdict.who is Answerer.HUMAN


def test_a_long_sentence_without_a_wait_is_a_machine() -> None:
    judge = spoke(AnswerJudge(), (500, 1800), (2000, 4480))
    assert not judge.verdict.certain
    spoke(judge, (500, 1800), (2000, 4520))
    assert judge.verdict.who is Answerer.MACHINE


def test_nobody_speaks() -> None:
    assert not spoke(AnswerJudge(), until=3980).verdict.certain
    assert spoke(AnswerJudge(), until=4000).verdict.who is Answerer.HUMAN


def test_the_tone_after_speech_tells_and_when_it_ended() -> None:
    judge = spoke(AnswerJudge(), (500, 1500))
    judge.tone(True, 1900)
    judge.passed(2400)
    assert not judge.verdict.certain
    judge.tone(False, 2400)
    assert judge.verdict.who is Answerer.MACHINE
    assert judge.beep_ended == 2400


def test_a_click_is_no_tone() -> None:
    judge = spoke(AnswerJudge(), (500, 900))
    judge.tone(True, 1000)
    judge.tone(False, 1100)
    assert judge.beep_ended is None


def test_words_correct_what_the_timing_said_and_nothing_else_does() -> None:
    judge = spoke(AnswerJudge(), (600, 900), until=1700)
    judge.heard("您好请在提示音后留言")
    assert judge.verdict.who is Answerer.MACHINE
    judge.signal(Signal.BUSY)
    judge.passed(9000)
    assert judge.verdict.who is Answerer.MACHINE


@pytest.mark.parametrize(
    ("signal", "who"),
    [(Signal.FAX, Answerer.MACHINE), (Signal.BUSY, Answerer.NETWORK), (Signal.MUSIC, Answerer.UNKNOWN)],
)
def test_tones_of_the_line(signal: Signal, who: Answerer) -> None:
    judge = AnswerJudge()
    judge.signal(signal)
    assert judge.verdict.who is who


def sine(hz: float, ms: int = 500, rate: int = 8000, *, harmonics: int = 1) -> list[Frame]:
    at = np.arange(rate * ms // 1000) / rate
    wave = sum(np.sin(2 * np.pi * hz * n * at) / n for n in range(1, harmonics + 1))
    pcm = (4000 * np.asarray(wave)).astype("<i2")
    return [Frame(pcm[start : start + 160].tobytes(), rate) for start in range(0, len(pcm), 160)]


@pytest.mark.parametrize("hz", [400, 850, 1000, 1400, 2000])
def test_beeps_of_any_pitch(hz: float) -> None:
    detector = BeepDetector()
    assert [detector.push(frame) for frame in sine(hz)][1:] == [True] * 24


def test_voices_noise_and_silence_are_no_beeps() -> None:
    detector = BeepDetector()
    noise = np.random.default_rng(1).normal(0, 2000, 8000).astype("<i2").tobytes()
    frames = [*sine(180, harmonics=12), Frame(noise), Frame(bytes(3200)), *sine(120)]
    assert not any(detector.push(frame) for frame in frames)


@pytest.mark.parametrize(
    "text",
    [
        "为什么要录音",
        "请问您是哪里的有什么事",
        "你是智能助理吗",
        "我在开车现在不方便接听",
        "我帮他代接的你留言给他吧",
        "请说一下您的姓名",
        "你打的号码不是空号",
        "I can't take it on friday",
        "I can't answer that",
        "you've reached the wrong number",
        "could you say your name again",
        "why are you recording",
    ],
)
def test_what_people_answer_is_no_machine(text: str) -> None:
    assert of_words(text).who is Answerer.UNKNOWN


@pytest.mark.parametrize("text", ["您拨打的用户正在通话中请不要挂机", "the number you dialed is busy please hold"])
def test_an_announcement_that_asks_to_wait_is_not_the_end(text: str) -> None:
    assert of_words(text).who is Answerer.UNKNOWN
    assert asks_to_wait(text)


def test_a_beep_after_a_short_word_proves_nothing() -> None:
    judge = spoke(AnswerJudge(), (500, 900))
    judge.tone(True, 1200)
    judge.tone(False, 1600)
    assert judge.verdict.who is Answerer.MACHINE
    assert not judge.verdict.proven
    assert judge.beep_ended == 1600


def test_a_busy_tone_after_speech_is_a_hang_up() -> None:
    judge = spoke(AnswerJudge(), (200, 500), until=800)
    judge.signal(Signal.BUSY)
    assert judge.verdict.who is Answerer.UNKNOWN


@pytest.mark.parametrize("text", ["the number one three eight zero zero is busy", "我是张先生的智能助理请说"])
def test_the_reason_holds_nothing_of_a_person(text: str) -> None:
    why = of_words(text, early=True).why
    assert why
    assert "three" not in why
    assert "张" not in why

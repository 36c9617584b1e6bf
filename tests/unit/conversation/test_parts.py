"""The small parts of a conversation: keypad, journal, prompt, result variables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame
from agi_bot.contracts import Intent, Transcript, Voice, Word
from agi_bot.conversation.journal import Journal
from agi_bot.conversation.keypad import Keypad
from agi_bot.conversation.prompt import Prompt, count_words
from agi_bot.conversation.result import MAX_VALUE, result_variables
from agi_bot.conversation.shift import Shift
from agi_bot.flow.events import Say, Span
from agi_bot.record import CallRecord
from tests.unit.conversation.stage import Beeper


def a_record() -> CallRecord:
    return CallRecord("call-1", "test", "zh-CN", datetime(2026, 11, 21, tzinfo=UTC))


# --- keypad --------------------------------------------------------------------------


def test_one_key_is_complete_at_once() -> None:
    assert Keypad().press("5") == "5"


def test_a_number_is_complete_when_full_or_at_the_hash() -> None:
    pad = Keypad()
    pad.expect(4)
    assert [pad.press(key) for key in "1234"] == ["", "", "", "1234"]
    assert [pad.press(key) for key in "12#"] == ["", "", "12"]
    assert pad.press("#") == "#"


def test_another_question_drops_old_keys() -> None:
    pad = Keypad()
    pad.expect(4)
    pad.press("1")
    assert pad.pending
    pad.expect(1)
    assert not pad.pending


@given(st.text("0123456789*#", max_size=40), st.integers(1, 12))
def test_no_key_is_lost_or_doubled(keys: str, want: int) -> None:
    pad = Keypad()
    pad.expect(want)
    out = "".join(pad.press(key) for key in keys) + pad.take()
    assert out.replace("#", "") == keys.replace("#", "")


# --- words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"), [("您好，张伟。", 4), ("can you come?", 3), ("改到 10 点", 4), ("……", 0), ("CT检查", 3)]
)
def test_words_are_characters_in_chinese(text: str, words: int) -> None:
    assert count_words(text) == words


# --- prompt --------------------------------------------------------------------------


class Sounds(Beeper):
    """Says these frames, whatever the words are."""

    def __init__(self, frames: list[bytes]) -> None:
        super().__init__()
        self._frames = frames

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        for pcm in self._frames:
            yield Frame(pcm)


async def rendered(*spans: Span, barge_in: bool = True, voice: Voice | None = None) -> Prompt:
    prompt = Prompt(Say(1, spans, barge_in=barge_in), voice or Beeper(), 8000)
    prompt.start()
    async with asyncio.timeout(30):
        while not prompt._rendered:  # noqa: ASYNC110
            await asyncio.sleep(0)
    return prompt


async def take(prompt: Prompt, frames: int) -> list[Frame | None]:
    return [await prompt.next_frame() for _ in range(frames)]


async def test_words_spoken_follow_the_frames() -> None:
    prompt = await rendered(Span("您好"), Span("能来吗"))
    assert prompt.words_spoken == 0
    await take(prompt, 20)
    assert prompt.words_spoken == 2
    await take(prompt, 10)
    assert prompt.words_spoken == 3
    assert await take(prompt, 21) != []
    assert prompt.finished
    assert prompt.words_spoken == 5


async def test_a_rewind_never_goes_back_into_a_protected_span() -> None:
    prompt = await rendered(Span("录音", protected=True), Span("能来吗"))
    await take(prompt, 25)
    prompt.rewind(15)
    assert prompt.position == 20
    prompt.rewind(None)
    assert prompt.position == 20


async def test_a_rewind_ends_where_the_pause_before_the_syllable_ends() -> None:
    loud, quiet = (np.full(160, level, "<i2").tobytes() for level in (3000, 4))
    prompt = await rendered(Span("您好"), voice=Sounds([loud] * 8 + [quiet] * 6 + [loud] * 10))
    await take(prompt, 18)
    prompt.rewind(15)
    assert prompt.position == 13


async def test_only_the_protected_rest_is_spoken() -> None:
    prompt = await rendered(Span("您好"), Span("录音", protected=True), Span("能来吗"))
    await take(prompt, 5)
    assert prompt.protected_left
    prompt.stop_after_protected()
    frames = await take(prompt, 21)
    assert [frame is None for frame in frames] == [False] * 20 + [True]


async def test_a_protected_span_that_is_not_rendered_yet_is_waited_for_and_nothing_before_it_spoken() -> None:
    prompt = Prompt(Say(1, (Span("您好"), Span("您能来吗"), Span("录音", protected=True))), Beeper(), 8000)
    prompt.stop_after_protected()
    prompt.start()
    frames = await take(prompt, 21)
    assert [frame is None for frame in frames] == [False] * 20 + [True]


@pytest.mark.parametrize(
    ("spans", "left_ms"),
    [
        (("您好", "您能来吗？", "不方便就按二"), 1400),
        (("您好", "您能来吗？不方便就按二"), 400 + 2200 * 4 // 10),
        (("您好", "请按二"), 1000),
    ],
)
async def test_how_much_of_the_question_is_left(spans: tuple[str, ...], left_ms: int) -> None:
    prompt = await rendered(*(Span(text) for text in spans))
    assert prompt.left_of_question_ms == left_ms
    await take(prompt, 39)
    assert prompt.left_of_question_ms == max(0, left_ms - 780)


async def test_a_prompt_that_must_not_be_interrupted_is_protected_throughout() -> None:
    prompt = await rendered(Span("您好"), barge_in=False)
    assert prompt.protected_now
    assert prompt.protected_left


async def test_another_rate_is_resampled() -> None:
    prompt = Prompt(Say(1, (Span("您好"),)), Beeper(), 16000)
    prompt.start()
    frames = [frame for frame in await take(prompt, 20) if frame]
    assert {(frame.rate, len(frame.pcm)) for frame in frames} == {(16000, 640)}


# --- journal and result --------------------------------------------------------------


def test_a_second_answer_without_a_prompt_between_is_a_turn_of_its_own() -> None:
    journal = Journal(a_record())
    journal.heard(Transcript("一"), 0, 100, shift=Shift())
    journal.heard(Transcript("二"), 500, 600, shift=Shift())
    assert [turn.heard for turn in journal.record.turns] == ["一", "二"]


def test_the_words_of_an_answer_stand_where_the_recording_has_them() -> None:
    """The line stalled between the two: what is masked is masked where it is."""
    shift = Shift()
    shift.note(600, 740)
    words = (Word("幺", 100, 300, 1.0), Word("三", 700, 900, 1.0))
    turn = Journal(a_record()).heard(Transcript("幺 三", words=words), 100, 1640, shift=shift)
    assert [(word.start_ms, word.end_ms) for word in turn.words] == [(100, 300), (1440, 1640)]


def test_the_first_close_counts() -> None:
    journal = Journal(a_record())
    journal.close("confirmed", "bot")
    journal.close("hung_up", "caller")
    assert (journal.record.outcome, journal.record.ended_by) == ("confirmed", "bot")


def test_result_variables() -> None:
    record = a_record()
    record.outcome = "done"
    journal = Journal(record)
    journal.understood(journal.heard(Transcript("好"), 0, 1, shift=Shift()), Intent("affirm", 0.9), 1.0)
    record.slots.update({"amount": Decimal("12.50"), "at": time(15, 0), "名字": "张\n伟", "long": "x" * 2000})
    told = result_variables(record)
    assert told["BOT_OUTCOME"] == "done"
    assert told["BOT_INTENT"] == "affirm"
    assert told["BOT_SLOT_AMOUNT"] == "12.50"
    assert told["BOT_SLOT_AT"] == "15:00"
    assert told["BOT_SLOT___"] == "张 伟"
    assert len(told["BOT_SLOT_LONG"]) == MAX_VALUE

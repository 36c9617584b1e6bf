"""Reply times from recordings that were made with known ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame
from agi_bot.demo import measure
from agi_bot.demo.phone.tape import save

RATE = 8000


def line(seconds: float, *spans: tuple[float, float], level: int = 8000) -> np.ndarray:
    """Noise from..to (seconds), and a little hiss everywhere."""
    random = np.random.default_rng(7)
    samples = random.integers(-20, 20, int(seconds * RATE)).astype(np.int16)
    for start, end in spans:
        piece = slice(int(start * RATE), int(end * RATE))
        samples[piece] = random.integers(-level, level, len(samples[piece]))
    return samples


def call(seconds: float, caller: list[tuple[float, float]], bot: list[tuple[float, float]]) -> np.ndarray:
    return np.stack([line(seconds, *caller), line(seconds, *bot)], axis=1)


def times(stereo: np.ndarray) -> list[int]:
    return [reply.ms for reply in measure.replies(stereo, RATE)]


@given(st.integers(1, 300), st.integers(0, 7))
def test_reply_times_are_right_to_a_window(delay_ms: int, shift: int) -> None:
    begin = 2.0 + delay_ms / 1000 + shift / RATE
    stereo = call(4, [(1.0, 2.0)], [(0.1, 0.8), (begin, begin + 1)])
    (found,) = times(stereo)
    assert abs(found - delay_ms) <= 2 * measure.WINDOW_MS


def test_a_pause_within_a_turn_belongs_to_the_turn() -> None:
    stereo = call(6, [(1.0, 1.5), (1.9, 2.5)], [(3.0, 3.4), (3.6, 4.0)])
    assert times(stereo) == [500]


def test_every_turn_counts_once() -> None:
    stereo = call(9, [(1, 2), (4, 5), (7, 8)], [(0, 0.5), (2.3, 3.3), (5.7, 6.2), (8.1, 9)])
    assert times(stereo) == [300, 700, 100]


def test_an_interruption_has_no_reply_time_while_the_bot_still_speaks() -> None:
    assert times(call(4, [(1, 2)], [(0.5, 2.5)])) == []


def test_a_turn_that_nobody_answers_has_no_reply_time() -> None:
    assert times(call(6, [(1, 2), (3, 4)], [(4.4, 5)])) == [400]
    assert times(call(3, [(1, 2)], [])) == []
    assert times(call(3, [], [])) == []


def test_quiet_speech_and_hiss() -> None:
    assert measure.speech(line(2), RATE) == []
    assert measure.speech(line(2, (0.5, 1), level=600), RATE) == [measure.Span(500, 1000)]


def test_the_end_of_speech_in_a_wav_is_not_the_end_of_the_wav() -> None:
    assert measure.speech_end_ms(Frame(line(2, (0.2, 1.1)).tobytes(), RATE)) == 1100
    assert measure.speech_end_ms(Frame(bytes(RATE), RATE)) == 0


def test_files(tmp_path: Path) -> None:
    save(tmp_path / "stereo.wav", call(4, [(1, 2)], [(2.25, 3)]))
    assert measure.reply_times(tmp_path / "stereo.wav") == [250]
    save(tmp_path / "caller.wav", line(3, (1, 2)))
    save(tmp_path / "bot.wav", line(4, (2.4, 3)))
    with pytest.raises(ValueError, match="a stereo recording is needed"):
        measure.reply_times(tmp_path / "bot.wav")
    both, rate = measure.combine(tmp_path / "caller.wav", tmp_path / "bot.wav")
    assert (both.shape, rate) == ((4 * RATE, 2), RATE)
    assert times(both) == [400]


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    save(tmp_path / "a.wav", line(1))
    save(tmp_path / "b.wav", line(1), 16000)
    with pytest.raises(ValueError, match="8000 Hz"):
        measure.combine(tmp_path / "a.wav", tmp_path / "b.wav")


def test_percentiles() -> None:
    assert measure.percentile(range(101), 0.95) == 95
    assert np.isnan(measure.percentile([], 0.5))

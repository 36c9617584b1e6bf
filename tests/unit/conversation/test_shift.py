"""Words are found in a recording with gaps, wherever the line stalled."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame
from agi_bot.conversation.shift import Shift
from agi_bot.privacy.recording import Track

RATE, FRAME_MS = 8000, 20


def test_a_gap_moves_what_comes_after_it_only() -> None:
    shift = Shift()
    shift.note(0, 12)
    shift.note(600, 752)
    assert [shift.at(ms) for ms in (0, 580, 600, 5000)] == [12, 12, 752, 752]


def test_a_gap_that_is_filled_after_all_moves_nothing() -> None:
    shift = Shift()
    shift.note(600, 740)
    for later in range(720, -1, -20):
        shift.note(1340 - later, later)
    assert [shift.at(ms) for ms in (0, 600, 5000)] == [0, 0, 0]


@given(
    st.lists(st.sampled_from([0, 0, 0, 20, 20, 20, 20, 20, 40, 100, 740, 2000]), min_size=1, max_size=80),
    st.integers(0, 90),
)
def test_every_sound_is_where_it_is_said_to_be(pauses: list[int], flushed: int) -> None:
    """``pauses``: ms between the arrivals of two frames; the track is written out once on the way."""
    track, shift, now, pieces = Track(RATE), Shift(), 0, []
    for number, pause in enumerate(pauses):
        now += pause
        value = np.full(RATE * FRAME_MS // 1000, number + 1, dtype="<i2")
        track.add(Frame(value.tobytes()), now)
        heard_ms = number * FRAME_MS
        shift.note(heard_ms, round(track.end * 1000 / RATE) - heard_ms - FRAME_MS)
        if number == flushed:
            pieces.append(track.take(track.end))
    whole = np.concatenate([*pieces, track.take(track.end)])
    for number in range(len(pauses)):
        heard_ms = number * FRAME_MS
        (at, *_) = np.flatnonzero(whole == number + 1)
        assert at * 1000 // RATE == heard_ms + shift.at(heard_ms)

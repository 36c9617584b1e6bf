from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.speech.timeline import Alignment, Timeline

BLOCK = 160


def piece(value: int, size: int = BLOCK) -> np.ndarray:
    return np.full(size, value, np.float32)


def heard(alignment: Alignment, *at_frames: float) -> list[float]:
    """Frames that came when so many had been sent; their places, in frames."""
    return [alignment.heard(BLOCK, round(at * 20)) / BLOCK for at in at_frames]


def test_frames_in_time_lie_where_they_came() -> None:
    assert heard(Alignment(), *range(7, 30)) == list(range(7, 30))


def test_frames_without_a_time_follow_one_another() -> None:
    alignment = Alignment()
    assert [alignment.heard(BLOCK, None) for _ in range(3)] == [BLOCK, 2 * BLOCK, 3 * BLOCK]


def test_a_burst_after_a_stall_changes_nothing() -> None:
    late = [10, 11, 12, 20, 20, 20, 20, 20, 20, 20, 20, 21, 22, 23]
    assert heard(Alignment(), *late) == list(range(10, 24))


def test_unevenness_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    at = [frame + int(rng.integers(0, 2)) for frame in range(1, 500)]
    places = heard(Alignment(), *at)
    assert set(np.diff(places)) == {1}


@pytest.mark.parametrize("jump", [1, 2, 30, -1, -3])
def test_what_lasts_is_followed_after_a_while(jump: int) -> None:
    at = [*range(50, 70), *range(70 + jump, 100 + jump)]
    places = heard(Alignment(), *at)
    assert places[20:28] == list(range(70, 78))
    assert places[-15:] == at[-15:]


def test_a_slow_clock_is_followed_by_whole_frames() -> None:
    """50 ppm in ten minutes are 1.5 frames."""
    at = [int(frame * (1 + 50e-6)) for frame in range(30_000)]
    places = heard(Alignment(), *at)
    assert np.abs(np.array(places) - np.array(at)).max() <= 1


def test_sound_lies_where_it_was_told() -> None:
    timeline = Timeline(4 * BLOCK)
    timeline.add(piece(1), 40)
    timeline.add(piece(2), 60)
    timeline.move(5 * BLOCK)
    assert timeline.until(5 * BLOCK)[::BLOCK].tolist() == [0, 1, 2, 0]


def test_sound_without_a_place_follows_what_waits() -> None:
    timeline = Timeline(4 * BLOCK)
    for value in (1, 2, 3):
        timeline.add(piece(value), None)
    found = [timeline.move(end * BLOCK)[0] for end in (1, 2, 3)]
    assert found == [1, 2, 3]


def test_what_was_cut_is_not_sent_and_what_follows_takes_its_place() -> None:
    timeline = Timeline(4 * BLOCK)
    for index in range(4):
        timeline.add(piece(1), 20 * index)
    timeline.move(BLOCK)
    timeline.forget(BLOCK)
    timeline.add(piece(2), 40)
    timeline.move(4 * BLOCK)
    assert timeline.until(4 * BLOCK)[::BLOCK].tolist() == [1, 0, 2, 0]


def test_a_new_piece_replaces_what_waits_at_its_place() -> None:
    timeline = Timeline(4 * BLOCK)
    timeline.add(piece(1), 20)
    timeline.add(piece(2), 40)
    timeline.add(piece(3), 20)
    assert timeline.move(4 * BLOCK)[::BLOCK].tolist() == [0, 3, 0, 0]


def test_what_is_told_late_is_put_where_it_was() -> None:
    timeline = Timeline(4 * BLOCK)
    timeline.move(10 * BLOCK)
    timeline.add(piece(1, 2 * BLOCK), 9 * 20)
    assert timeline.until(10 * BLOCK)[::BLOCK].tolist() == [0, 0, 0, 1]
    assert timeline.move(11 * BLOCK).tolist() == piece(1).tolist()


def test_one_may_look_back_a_little() -> None:
    timeline = Timeline(2 * BLOCK)
    for index in range(6):
        timeline.add(piece(index), 20 * index)
    timeline.move(6 * BLOCK)
    assert timeline.until(4 * BLOCK)[::BLOCK].tolist() == [2, 3]


SIZES = st.integers(1, 700)


@given(st.lists(SIZES, max_size=60), st.lists(SIZES, min_size=1, max_size=60))
def test_nothing_is_lost_or_moved_however_it_is_cut(pieces: list[int], moves: list[int]) -> None:
    whole = np.arange(1, sum(pieces) + 1, dtype=np.float32)
    timeline = Timeline(800)
    for part in np.split(whole, np.cumsum(pieces)[:-1]) if pieces else []:
        timeline.add(part, None)
    ends = np.cumsum(moves)
    found = np.concatenate([timeline.move(int(end)) for end in ends])
    expected = np.concatenate([whole, np.zeros(int(ends[-1]), np.float32)])[: ends[-1]]
    assert found.tolist() == expected.tolist()
    behind = np.concatenate([np.zeros(800, np.float32), expected])[-800:]
    assert timeline.until(int(ends[-1])).tolist() == behind.tolist()


def test_silence_that_fills_a_stall_takes_no_place_of_what_comes_late() -> None:
    alignment = Alignment()
    heard(alignment, *range(1, 30))
    assert [alignment.heard(BLOCK, None) for _ in range(20)] == [29 * BLOCK] * 20
    assert heard(alignment, *[50] * 21, *range(51, 60)) == list(range(30, 60))


def test_after_a_gap_in_which_nothing_came_frames_are_in_time_again_after_a_while() -> None:
    alignment = Alignment()
    heard(alignment, *range(1, 30))
    assert heard(alignment, *range(100, 130))[-20:] == list(range(110, 130))

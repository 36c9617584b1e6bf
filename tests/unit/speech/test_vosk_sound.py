from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.contracts import Word
from agi_bot.speech.vosk.sound import Quietest, SoundClock


def at(clock: SoundClock, ms: int, origin_ms: float = 0.0) -> int:
    return clock.place(Word("x", ms, ms + 10), origin_ms).start_ms


def test_unfed_sound_shifts_only_what_comes_after_it() -> None:
    clock = SoundClock()
    clock.skip(1000)
    clock.hear(500)
    clock.skip(200)
    clock.skip(300)
    clock.hear(400)
    assert [at(clock, ms) for ms in (0, 100, 490, 600)] == [1000, 1100, 1490, 2100]


def test_inserted_silence_shifts_back() -> None:
    clock = SoundClock()
    clock.hear(600)
    clock.hear(150)
    clock.skip(-150)
    clock.hear(300)
    assert (at(clock, 500), at(clock, 800)) == (500, 650)


def test_an_origin_is_added() -> None:
    clock = SoundClock()
    clock.skip(100)
    assert at(clock, 50, 1000.0) == 1150


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 500)), max_size=200))
def test_times_of_the_call_are_never_before_those_of_the_fed_sound(pieces: list[tuple[int, int]]) -> None:
    clock, fed, call = SoundClock(), 0, 0
    for heard, skipped in pieces:
        clock.skip(skipped)
        clock.hear(heard)
        call += heard + skipped
        fed += heard
    assert at(clock, max(0, fed - 1)) <= call + 1
    assert at(clock, max(0, fed - 1)) >= max(0, fed - 1)


def sound(level: int, size: int = 480) -> bytes:
    return np.full(size, level, dtype="<i2").tobytes()


def test_the_quietest_piece_is_what_silence_sounds_like() -> None:
    quietest = Quietest(8000)
    for level in (500, 20, 3000, 40):
        quietest.push(sound(level))
    assert quietest.tile(2400) == sound(20, 1200)


def test_the_quietest_piece_is_found_within_a_longer_one() -> None:
    quietest = Quietest(8000)
    quietest.push(sound(500, 480) + sound(20, 480) + sound(3000, 700))
    assert quietest.tile(960) == sound(20, 480)


def test_before_anything_was_heard_silence_is_digital() -> None:
    quietest = Quietest(8000)
    quietest.push(b"")
    assert quietest.tile(6) == bytes(6)

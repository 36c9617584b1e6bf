from __future__ import annotations

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.speech.echo import EchoGuard

RATE, FRAME = 8000, 160
rng = np.random.default_rng(11)


def talk(seconds: float, level: float = 4000.0) -> np.ndarray:
    """Sound with the level contour of speech: syllables of 100-300 ms with pauses."""
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < seconds * RATE:
        syllable = rng.normal(0, level * rng.uniform(0.3, 1.0), int(RATE * rng.uniform(0.1, 0.3)))
        pieces += [syllable, rng.normal(0, 5, int(RATE * rng.uniform(0.03, 0.2)))]
    return np.concatenate(pieces)[: int(seconds * RATE)]


def frames(samples: np.ndarray) -> list[Frame]:
    whole = np.clip(samples, -32768, 32767).astype("<i2")
    return [Frame(whole[start : start + FRAME].tobytes()) for start in range(0, len(whole) - FRAME + 1, FRAME)]


def echo(samples: np.ndarray, delay_ms: int, loss_db: float) -> np.ndarray:
    delayed = np.concatenate([np.zeros(delay_ms * RATE // 1000), samples])[: len(samples)]
    return delayed * 10 ** (loss_db / 20) + rng.normal(0, 8, len(samples))


def suppressed(guard: EchoGuard, out: np.ndarray, incoming: np.ndarray) -> np.ndarray:
    verdicts = []
    for sent, heard in zip(frames(out), frames(incoming), strict=True):
        guard.outgoing(sent)
        verdicts.append(guard.incoming(heard))
    return np.array(verdicts)


def loud(samples: np.ndarray, limit: float = 60.0) -> np.ndarray:
    return np.array([np.sqrt(np.mean(frame.samples.astype(float) ** 2)) > limit for frame in frames(samples)])


@pytest.mark.parametrize("delay_ms", [0, 45, 130, 310, 500])
@pytest.mark.parametrize("loss_db", [-10.0, -20.0, -30.0])
def test_the_bots_own_voice_is_known(delay_ms: int, loss_db: float) -> None:
    guard = EchoGuard()
    out = talk(6)
    incoming = echo(out, delay_ms, loss_db)
    verdicts = suppressed(guard, out, incoming)
    late = slice(150, None)
    assert np.mean(verdicts[late][loud(incoming)[late]]) > 0.97
    assert guard.return_loss_db == pytest.approx(loss_db, abs=3)


@pytest.mark.parametrize("loss_db", [-20.0, -30.0])
def test_the_caller_is_heard_through_the_echo(loss_db: float) -> None:
    guard = EchoGuard()
    out = talk(10)
    incoming = echo(out, 120, loss_db)
    caller = np.concatenate([np.zeros(6 * RATE), talk(2), np.zeros(2 * RATE)])
    verdicts = suppressed(guard, out, incoming + caller)
    speaking = loud(caller, 800)
    assert np.mean(~verdicts[speaking]) > 0.85


def test_frames_that_are_sent_in_pairs_are_heard_one_by_one() -> None:
    guard = EchoGuard()
    out = talk(6)
    incoming = echo(out, 120, -20)
    verdicts = []
    sent = frames(out)
    for index, heard in enumerate(frames(incoming)):
        for frame in sent[index : index + 2] if index % 2 == 0 else []:
            guard.outgoing(frame)
        verdicts.append(guard.incoming(heard))
    late = slice(150, None)
    assert np.mean(np.array(verdicts)[late][loud(incoming)[late]]) > 0.97


def test_neither_a_busy_machine_nor_a_cut_prompt_moves_the_echo() -> None:
    """Frames are handed over up to four ahead, heard in bursts, and prompts are cut with frames unplayed."""
    guard = EchoGuard()
    talked = talk(20)
    played = np.zeros(21 * RATE)
    verdicts, now, waiting = [], 0, 0
    uneven = np.random.default_rng(3)
    heard = echo(played, 120, -15)
    for start in range(0, 900, 100):
        length = int(uneven.integers(50, 90))
        for index in range(length):
            out = talked[(start + index) * FRAME : (start + index + 1) * FRAME]
            guard.outgoing(Frame(out.astype("<i2").tobytes(), at_ms=20 * (start + index)))
            if index < length - 4:
                played[(start + index) * FRAME : (start + index + 1) * FRAME] = out
            if index < 4:
                continue
            waiting += 1
            if uneven.random() < 0.4 or index == length - 1:
                heard = echo(played, 120, -15)
                verdicts += [hear(guard, heard, now + late, start + index - 3) for late in range(waiting)]
                now, waiting = now + waiting, 0
        guard.hushed(20 * (start + length - 4))
        for _ in range(start + 100 - now):
            verdicts.append(hear(guard, heard, now, now + 1))
            now += 1
    loud_ = loud(heard)[150 : len(verdicts)]
    assert np.mean(np.array(verdicts)[150:][loud_]) > 0.97
    assert guard.moves == 0


def hear(guard: EchoGuard, heard: np.ndarray, index: int, sent: int) -> bool:
    samples = heard[index * FRAME : (index + 1) * FRAME].astype("<i2")
    return guard.incoming(Frame(samples.tobytes(), at_ms=20 * sent))


def test_a_caller_who_talked_long_and_loud_does_not_make_the_echo_forgotten() -> None:
    guard = EchoGuard()
    out = talk(14)
    caller = np.concatenate([np.zeros(4 * RATE), talk(5, 9000), np.zeros(5 * RATE)])
    incoming = echo(out, 160, -20) + caller
    verdicts = suppressed(guard, out, incoming)
    after = slice(9 * 50 + 5, None)
    assert np.mean(verdicts[after][loud(incoming)[after]]) > 0.97


def test_an_echo_that_moved_is_found_again() -> None:
    guard = EchoGuard()
    out = talk(14)
    incoming = np.concatenate([echo(out, 60, -15)[: 6 * RATE], echo(out, 240, -15)[6 * RATE :]])
    verdicts = suppressed(guard, out, incoming)
    late = slice(10 * 50, None)
    assert np.mean(verdicts[late][loud(incoming)[late]]) > 0.95


def test_an_echo_that_ended_holds_nobody_back() -> None:
    guard = EchoGuard()
    out = talk(12)
    caller = np.concatenate([np.zeros(8 * RATE), talk(4, 1200)])
    incoming = np.concatenate([echo(out, 120, -10)[: 5 * RATE], rng.normal(0, 8, 7 * RATE)]) + caller
    verdicts = suppressed(guard, out, incoming)
    assert np.mean(~verdicts[loud(caller, 200)]) > 0.9


def test_a_caller_without_echo_is_heard_while_the_bot_speaks() -> None:
    guard = EchoGuard()
    out = talk(8)
    caller = np.concatenate([np.zeros(4 * RATE), talk(4, 2500)]) + rng.normal(0, 8, 8 * RATE)
    verdicts = suppressed(guard, out, caller)
    assert np.mean(~verdicts[loud(caller, 300)]) > 0.95
    assert guard.return_loss_db is None


def test_nothing_is_suppressed_while_the_bot_is_silent() -> None:
    guard = EchoGuard()
    assert not suppressed(guard, np.zeros(3 * RATE), talk(3)).any()


def test_an_echo_is_forgotten_with_its_cause() -> None:
    guard = EchoGuard()
    suppressed(guard, talk(4), echo(talk(4), 100, -15))
    after = talk(3, 3000)
    verdicts = suppressed(guard, np.zeros(3 * RATE), after)
    assert not verdicts[40:].any()


def test_before_anything_is_known_only_soft_sound_is_taken_for_echo() -> None:
    out, soft, strong = np.full(FRAME, 8000.0), np.full(FRAME, 1000.0), np.full(FRAME, 9000.0)
    guard = EchoGuard()
    guard.outgoing(frames(out)[0])
    assert guard.incoming(frames(soft)[0])
    guard.outgoing(frames(out)[0])
    assert not guard.incoming(frames(strong)[0])


def test_the_echo_is_taken_out_and_the_caller_is_not() -> None:
    guard = EchoGuard()
    out = talk(10)
    caller = np.concatenate([np.zeros(6 * RATE), talk(2, 3000), np.zeros(2 * RATE)])
    incoming = echo(out, 160, -10) + caller
    cleaned = []
    for sent, heard in zip(frames(out), frames(incoming), strict=True):
        guard.outgoing(sent)
        guard.incoming(heard)
        cleaned.append(guard.clean.samples.astype(float))
    left = np.concatenate(cleaned)
    alone, both = slice(3 * RATE, 6 * RATE), slice(6 * RATE, 8 * RATE)
    assert np.mean(incoming[alone] ** 2) / np.mean(left[alone] ** 2) > 100
    assert np.mean((left[both] - caller[both]) ** 2) < 0.05 * np.mean(caller[both] ** 2)
    assert guard.left_db is not None
    assert guard.left_db < -25


def test_noise_and_a_caller_who_speaks_along_make_no_echo() -> None:
    guard = EchoGuard()
    out = talk(12)
    suppressed(guard, out, talk(12, 1500) + rng.normal(0, 200, 12 * RATE))
    assert guard.return_loss_db is None
    assert guard.left_db is None


MOVES = [20, -20, 40, -40, 9.5, -30]


def moving(out: np.ndarray, by_ms: float, every: float, loss_db: float) -> tuple[np.ndarray, list[int]]:
    """The echo of ``out``, 80 ms late, and ``by_ms`` later or back again each ``every`` s; frames of the moves."""
    delay = np.full(len(out), 80 * RATE // 1000)
    places = [int(start * RATE) for start in np.arange(4, len(out) / RATE - every, every)]
    for number, place in enumerate(places):
        delay[place:] += int(by_ms * RATE / 1000) * (1 if number % 2 == 0 else -1)
    index = np.arange(len(out)) - delay
    delayed = np.where(index >= 0, out[np.maximum(index, 0)], 0.0)
    return delayed * 10 ** (loss_db / 20) + rng.normal(0, 8, len(out)), [place // FRAME for place in places]


@pytest.mark.parametrize("by_ms", MOVES)
@pytest.mark.parametrize("loss_db", [-10.0, -20.0])
def test_an_echo_that_jumps_is_suppressed_again_within_tenths_of_a_second(by_ms: float, loss_db: float) -> None:
    guard = EchoGuard()
    out = talk(30)
    incoming, moves = moving(out, by_ms, 3.1, loss_db)
    through = ~suppressed(guard, out, incoming) & loud(incoming)
    late_ms = [20 * int(np.flatnonzero(through[at : at + 100]).max(initial=-1) + 1) for at in moves]
    assert np.median(late_ms) <= 60
    assert max(late_ms) <= 400
    assert np.mean(through[200:]) < 0.02


@pytest.mark.parametrize("by_ms", [0.0, 20.0, -40.0])
def test_a_caller_over_a_jumping_echo_is_heard_and_no_echo(by_ms: float) -> None:
    guard = EchoGuard()
    out = talk(30)
    incoming, _ = moving(out, by_ms, 3.1, -20)
    caller = np.concatenate([np.zeros(8 * RATE), talk(20, 3000), np.zeros(2 * RATE)])
    verdicts = suppressed(guard, out, incoming + caller)
    assert np.mean(~verdicts[loud(caller, 800)]) > (0.97 if by_ms == 0 else 0.9)
    if by_ms == 0:
        assert guard.moves == 0


def test_an_echo_with_a_clock_of_its_own_stays_suppressed() -> None:
    """By 100 ppm, twice what telephones have."""
    guard = EchoGuard()
    out = np.convolve(talk(30), np.hanning(8) / 4, "same")
    stretched = np.interp(np.arange(len(out)) * (1 - 100e-6), np.arange(len(out)), out)
    incoming = echo(stretched, 100, -15)
    through = ~suppressed(guard, out, incoming) & loud(incoming)
    assert np.mean(through[200:]) < 0.02


def test_an_echo_that_comes_earlier_than_the_filter_begins_is_taken_out() -> None:
    guard = EchoGuard()
    out = talk(12)
    incoming = np.concatenate([echo(out, 30, -15)[: 6 * RATE], echo(out, 2, -15)[6 * RATE :]])
    through = ~suppressed(guard, out, incoming) & loud(incoming)
    assert np.mean(through[400:]) < 0.02


def test_lost_and_doubled_frames_cost_little() -> None:
    """One in fifty is lost or comes twice, and tells the time at which it came."""
    guard = EchoGuard()
    out = talk(30)
    incoming = echo(out, 120, -15)
    chance = np.random.default_rng(8)
    through, seen = 0, 0
    for index, (sent, heard) in enumerate(zip(frames(out), frames(incoming), strict=True)):
        guard.outgoing(Frame(sent.pcm, at_ms=20 * index))
        for _ in range(int(chance.choice([0, 1, 2], p=[0.01, 0.98, 0.01]))):
            echoed = guard.incoming(Frame(heard.pcm, at_ms=20 * (index + 1)))
            if index > 150 and loud(heard.samples.astype(float)).any():
                seen, through = seen + 1, through + (not echoed)
    assert through / seen < 0.04


def test_a_filter_that_has_heard_little_lets_no_new_sound_through() -> None:
    """Each sound of a voice has bands of its own, and a phone line more than one echo."""
    guard = EchoGuard()
    low = np.convolve(talk(3, 12000), np.hanning(16) / 8, "same")
    out = np.concatenate([low, talk(5)])
    twice = echo(out, 100, -12) + echo(out, 106, -18)
    through = ~suppressed(guard, out, twice) & loud(twice)
    assert through.sum() <= 3


def test_a_long_talk_of_the_caller_makes_the_next_soft_word_no_echo() -> None:
    guard = EchoGuard()
    out = talk(20)
    caller = np.concatenate([np.zeros(6 * RATE), talk(10, 6000), talk(4, 900)])
    verdicts = suppressed(guard, out, echo(out, 120, -20) + caller)
    soft = loud(caller, 300)
    soft[: 16 * 50] = False
    assert np.mean(~verdicts[soft]) > 0.9


@pytest.mark.parametrize("told", [True, False])
def test_after_a_long_silence_of_the_bot_its_echo_is_still_known(told: bool) -> None:
    """Also where nobody tells when sound goes out."""
    guard = EchoGuard()
    out = np.concatenate([talk(4), np.zeros(20 * RATE), talk(4)])
    incoming = echo(out, 100, -15)
    through = 0
    for index, (sent, heard) in enumerate(zip(frames(out), frames(incoming), strict=True)):
        if sent.samples.any():
            guard.outgoing(Frame(sent.pcm, at_ms=20 * index if told else None))
        echoed = guard.incoming(Frame(heard.pcm, at_ms=20 * (index + 1)))
        through += index > 24 * 50 and not echoed and bool(loud(heard.samples.astype(float)).any())
    assert through <= 4
    assert guard.moves == 0

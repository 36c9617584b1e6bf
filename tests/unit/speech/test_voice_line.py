"""Sound for the telephone line: band, level, ceiling, joints."""

import numpy as np
import pytest

from agi_bot.speech.line import (
    CEILING_DBFS,
    Band,
    Leveller,
    ToBand,
    Wave,
    active_level,
    faded,
    gained,
    limit,
    to_frame,
    to_wave,
    trimmed,
)

RATE = 8000


def tone(hz: float, dbfs: float = -20.0, seconds: float = 1.0, rate: int = RATE) -> Wave:
    t = np.arange(int(seconds * rate)) / rate
    return (10 ** (dbfs / 20) * np.sqrt(2) * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def quiet(seconds: float) -> Wave:
    return np.zeros(int(seconds * RATE), np.float32)


@pytest.mark.parametrize(
    ("hz", "least", "most"),
    [(1000, -0.2, 0.2), (400, -0.5, 0.5), (3250, -0.5, 0.5), (100, -200, -45), (50, -200, -45), (3800, -200, -45)],
)
def test_the_band_passes_speech_and_nothing_else(hz: float, least: float, most: float) -> None:
    out = Band().push(tone(hz), last=True)[800:-800]
    change = 20 * np.log10(float(np.sqrt(np.mean(out**2))) / 0.1)
    assert least <= change <= most


@pytest.mark.parametrize("cut", [1, 7, 80, 160, 1000])
def test_the_band_is_the_same_in_pieces_and_whole(cut: int) -> None:
    wave = np.random.default_rng(1).normal(0, 0.1, 2000).astype(np.float32)
    whole = Band().push(wave, last=True)
    band = Band()
    parts = [band.push(wave[i : i + cut], last=i + cut >= len(wave)) for i in range(0, len(wave), cut)]
    assert len(whole) == len(wave)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_the_band_keeps_time() -> None:
    wave = quiet(0.2)
    wave[800:1000] = tone(1000, seconds=0.025)
    out = Band().push(wave, last=True)
    assert abs(int(np.argmax(np.abs(np.convolve(out, wave[::-1])))) - (len(wave) - 1)) <= 1


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100])
def test_any_rate_becomes_8_khz_of_the_same_length(rate: int) -> None:
    out = ToBand(rate).push(to_frame(tone(1000, rate=rate), rate).pcm, last=True)
    assert abs(len(out) - 8000) <= 2
    assert active_level(out[400:-400], RATE) == pytest.approx(-20, abs=0.3)


def test_what_the_line_cannot_carry_does_not_fold_back() -> None:
    out = ToBand(22050).push(to_frame(tone(5000, rate=22050), 22050).pcm, last=True)
    assert active_level(out[400:-400], RATE) < -90


@pytest.mark.parametrize("dbfs", [-45, -30, -20, -9])
def test_speech_gets_to_20_below_full_scale_whatever_it_was(dbfs: float) -> None:
    wave = np.concatenate((quiet(0.5), tone(700, dbfs), quiet(1.0)))
    out = gained(wave, Leveller().for_whole(wave))
    assert active_level(out, RATE) == pytest.approx(-20, abs=0.5)


def test_a_voices_own_gain_comes_on_top() -> None:
    wave = tone(700, -30)
    assert Leveller(3.0).for_whole(wave) == pytest.approx(13, abs=0.1)


def test_silence_is_not_blown_up() -> None:
    assert Leveller().for_whole(quiet(1)) == 0.0
    assert active_level(quiet(1), RATE) == -120.0


def test_a_faint_voice_gets_at_most_30_db() -> None:
    assert Leveller().for_whole(tone(700, -70)) == 30.0


def test_a_stream_has_the_gain_of_the_sentences_before_it() -> None:
    leveller = Leveller()
    leveller.learn(tone(700, -30))
    assert leveller.for_piece(tone(700, -50)) == pytest.approx(10, abs=0.1)


def test_nothing_gets_above_the_ceiling_and_quiet_sound_is_untouched() -> None:
    loud = np.linspace(-2, 2, 4001, dtype=np.float32)
    out = limit(loud)
    assert np.abs(out).max() <= 10 ** (CEILING_DBFS / 20) + 1e-6
    assert np.all(np.diff(out) >= 0)
    small = np.abs(loud) < 0.35
    np.testing.assert_array_equal(out[small], loud[small])


def test_trimmed_takes_the_silence_off() -> None:
    out = trimmed(np.concatenate((quiet(0.5), tone(700), quiet(0.7))), lead_ms=10, tail_ms=40)
    assert 1.04 <= len(out) / RATE <= 1.06


def test_trimmed_silence_is_empty() -> None:
    assert len(trimmed(quiet(1))) == 0
    assert len(trimmed(quiet(0))) == 0


def test_faded_ends_at_zero() -> None:
    out = faded(tone(700) + 0.3)
    assert out[0] == pytest.approx(0, abs=1e-6)
    assert out[-1] == pytest.approx(0, abs=1e-6)
    assert len(faded(quiet(0))) == 0


def test_a_frame_and_back() -> None:
    wave = tone(700)
    np.testing.assert_allclose(to_wave(to_frame(wave)), wave, atol=2 / 32768)

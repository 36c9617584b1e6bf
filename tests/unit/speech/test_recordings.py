"""An admin's own recordings: any rate and width becomes the line's; what is unfit is named."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from agi_bot.audio import Frame
from agi_bot.errors import ConfigError, SpeechError
from agi_bot.speech.line import Wave, active_level, to_wave
from agi_bot.speech.prompts import Recordings, load_recording


def tone(seconds: float, rate: int, amplitude: float = 0.2, hz: float = 700) -> Wave:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def write(path: Path, wave: Wave, rate: int, subtype: str | None = None) -> Path:
    soundfile.write(path, wave, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"])
def test_any_wav_becomes_8_khz_at_the_level_of_the_line(tmp_path: Path, rate: int, subtype: str) -> None:
    recording = load_recording(write(tmp_path / "a.wav", tone(1, rate), rate, subtype))
    assert recording.seconds == pytest.approx(1, abs=0.05)
    assert active_level(to_wave(Frame(recording.pcm)), 8000) == pytest.approx(-20, abs=0.5)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    recording = load_recording(write(tmp_path / f"a.{suffix}", tone(1, 44100), 44100))
    assert recording.seconds == pytest.approx(1, abs=0.1)
    spectrum = np.abs(np.fft.rfft(to_wave(Frame(recording.pcm))))
    assert np.argmax(spectrum) * 8000 / (len(recording.pcm) / 2) == pytest.approx(700, abs=5)


def test_stereo_is_mixed(tmp_path: Path) -> None:
    both = np.stack((tone(1, 16000), tone(1, 16000, hz=1200)), axis=1)
    spectrum = np.abs(np.fft.rfft(to_wave(Frame(load_recording(write(tmp_path / "a.wav", both, 16000)).pcm))))
    peaks = np.flatnonzero(spectrum > spectrum.max() / 2) * 8000 / (2 * (len(spectrum) - 1))
    assert peaks.min() == pytest.approx(700, abs=5)
    assert peaks.max() == pytest.approx(1200, abs=5)


def test_what_the_line_cannot_carry_does_not_fold_back(tmp_path: Path) -> None:
    wave = tone(1, 44100, 0.1) + tone(1, 44100, 0.3, hz=5300)
    pcm = to_wave(Frame(load_recording(write(tmp_path / "a.wav", wave, 44100)).pcm))
    spectrum = np.abs(np.fft.rfft(pcm[400:-400]))
    hz = np.arange(len(spectrum)) * 8000 / (len(pcm) - 800)
    assert spectrum[np.abs(hz - 2700) < 50].max() < spectrum.max() / 1000


@pytest.mark.parametrize(
    ("wave", "rate", "message"),
    [
        (tone(1, 4000), 4000, "has 4000 Hz"),
        (tone(0.05, 8000), 8000, r"0\.05 s long"),
        (tone(121, 8000), 8000, r"121\.00 s long"),
        (tone(1, 8000, 0.0), 8000, "is silent"),
        (tone(1, 8000, 0.0005), 8000, "is silent"),
    ],
)
def test_what_is_unfit_is_named(tmp_path: Path, wave: Wave, rate: int, message: str) -> None:
    with pytest.raises(SpeechError, match=message):
        load_recording(write(tmp_path / "a.wav", wave, rate))


@pytest.mark.parametrize("content", [b"", b"ID3 not really", b"RIFF\x24\0\0\0WAVEfmt ", bytes(5000)])
@pytest.mark.parametrize("suffix", ["wav", "mp3"])
def test_what_is_no_sound_is_an_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(SpeechError, match=f"a.{suffix}"):
        load_recording(path)


def test_a_missing_file() -> None:
    with pytest.raises(SpeechError, match="no file"):
        load_recording(Path("/nonexistent/a.wav"))


def test_notes_tell_what_is_odd(tmp_path: Path) -> None:
    over = np.clip(tone(1, 8000, 3.0), -1, 1)
    assert "overdriven" in load_recording(write(tmp_path / "a.wav", over, 8000)).notes[0]
    faint = np.concatenate((tone(1, 8000, 0.01), np.zeros(16000, np.float32)))
    notes = load_recording(write(tmp_path / "b.wav", faint, 8000)).notes
    assert any("faint" in note for note in notes)
    assert any("silence were cut" in note for note in notes)


def test_a_list_of_recordings(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", tone(1, 16000), 16000)
    (tmp_path / "recordings.yml").write_text("- text: 您好，这里是医院。\n  file: a.wav\n", encoding="utf-8")
    found = Recordings.load(tmp_path / "recordings.yml")
    assert len(found) == 1
    assert found.find("您好 这里是医院") is not None
    assert found.find("再见") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text: a\n", r"yml:1: a list is expected"),
        ("- text: a\n  file: a.wav\n- text: b\n", r"yml:3: an entry has a text and a file"),
        ("- text: a\n  file: absent.wav\n", r"yml:1: there is no file"),
        ("- text: '。'\n  file: a.wav\n", r"yml:1: the text is empty"),
        ("- text: [\n", r"cannot be read"),
        ("- 5\n", r"yml:1: an entry"),
    ],
)
def test_a_list_that_is_wrong_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "a.wav", tone(1, 16000), 16000)
    (tmp_path / "recordings.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        Recordings.load(tmp_path / "recordings.yml")


def test_no_list_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Recordings.load(tmp_path / "recordings.yml")
    (tmp_path / "recordings.yml").write_text("")
    assert len(Recordings.load(tmp_path / "recordings.yml")) == 0

"""Stereo recordings keep the call's own time, and a disk that fails ends them, not the call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame
from agi_bot.errors import StoreError
from agi_bot.privacy.recording import MOST_WAITING, Recording, Track

LOUD = Frame(b"\x00\x20" * 160)


@pytest.fixture
def writer() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def recorded(path: Path, writer: ThreadPoolExecutor, caller: list[int], bot: list[int]) -> Recording:
    """Frames of both sides at the given moments (ms)."""
    recording = Recording(path, 8000, writer)
    await recording.open()
    for at, side in sorted([(at, "caller") for at in caller] + [(at, "bot") for at in bot]):
        (recording.caller if side == "caller" else recording.bot)(LOUD, at)
    await recording.close()
    return recording


async def test_both_sides_stand_at_their_moment(tmp_path: Path, writer: ThreadPoolExecutor) -> None:
    path = tmp_path / "2026-11-21" / "a.wav"
    await recorded(path, writer, caller=list(range(0, 3000, 20)), bot=list(range(1000, 1500, 20)))
    sound, rate = sf.read(path, dtype="int16")
    assert rate == 8000
    assert sound.shape == (24000, 2)
    assert (sound[:, 0] != 0).all()
    heard = np.flatnonzero(sound[:, 1])
    assert (heard[0], heard[-1]) == (8000, 11999)


async def test_a_gap_of_the_caller_is_silence(tmp_path: Path, writer: ThreadPoolExecutor) -> None:
    path = tmp_path / "a.wav"
    await recorded(path, writer, caller=[*range(0, 500, 20), *range(2000, 2500, 20)], bot=[])
    sound, _ = sf.read(path, dtype="int16")
    assert (sound[4000:16000, 0] == 0).all()
    assert (sound[16000:, 0] != 0).all()


async def test_a_caller_who_never_sends_is_recorded_as_silence(tmp_path: Path, writer: ThreadPoolExecutor) -> None:
    path = tmp_path / "a.wav"
    await recorded(path, writer, caller=[], bot=list(range(0, 1000, 20)))
    sound, _ = sf.read(path, dtype="int16")
    assert (sound[:, 0] == 0).all()
    assert (sound[:, 1] != 0).all()


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
async def test_every_format_can_be_read_again(tmp_path: Path, writer: ThreadPoolExecutor, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    await recorded(path, writer, caller=list(range(0, 1000, 20)), bot=list(range(0, 1000, 20)))
    assert sf.info(path).channels == 2
    assert sf.info(path).duration == pytest.approx(1.0, abs=0.02)


async def test_a_folder_that_cannot_be_made(tmp_path: Path, writer: ThreadPoolExecutor) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="free space"):
        await Recording(tmp_path / "file" / "a.wav", 8000, writer).open()


async def test_a_disk_that_stalls_ends_the_recording_before_the_memory(
    tmp_path: Path, writer: ThreadPoolExecutor
) -> None:
    back = threading.Event()
    recording = Recording(tmp_path / "a.wav", 8000, writer)
    await recording.open()
    writer.submit(back.wait)
    for at in range(0, 120_000, 20):
        recording.caller(LOUD, at)
    try:
        assert "does not answer" in recording.failure
        assert len(recording._waiting) == MOST_WAITING
        assert recording.caller_ms < 70_000
    finally:
        back.set()
    await recording.close()
    assert sf.info(tmp_path / "a.wav").duration < 70


async def test_a_full_disk_ends_the_recording_only(writer: ThreadPoolExecutor) -> None:
    full = Path("/dev/full")
    recording = Recording(full.with_suffix(".wav"), 8000, writer)
    recording._create = lambda: sf.SoundFile("/dev/full", "w", 8000, 2, "PCM_16", format="RAW")  # type: ignore[method-assign]
    await recording.open()
    for at in range(0, 60_000, 20):
        recording.caller(LOUD, at)
    await recording.close()
    assert "recording" in recording.failure


def test_early_frames_follow_on_and_late_ones_leave_a_gap() -> None:
    track = Track(8000)
    track.add(LOUD, 0)
    track.add(LOUD, 5)
    assert track.end == 320
    track.add(LOUD, 1000)
    assert track.end == 8160


def test_a_burst_after_a_stall_does_not_shift_the_rest() -> None:
    track = Track(8000)
    for number in range(100):
        sent = number * 20
        track.add(LOUD, max(sent, 1000) if 500 <= sent < 1000 else sent)
    assert 100 * 160 <= track.end <= 101 * 160
    silence = (np.frombuffer(bytes(track._pcm), dtype="<i2") == 0).sum()
    assert silence <= 160


def test_a_real_gap_stays_when_nothing_comes_early() -> None:
    track = Track(8000)
    for at in [*range(0, 200, 20), *range(700, 900, 20)]:
        track.add(LOUD, at)
    sound = track.take(track.end)
    assert (sound[1600:5600] == 0).all()
    assert len(sound) == 7200


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=30), st.integers(1, 5))
def test_no_sound_is_ever_lost(bursts: list[tuple[int, int]], flush_every: int) -> None:
    """Whatever stalls and bursts come: every frame is there, in order, and nothing runs backwards."""
    track, now, sent, out = Track(8000), 0.0, 0, b""
    for number, (pause, frames) in enumerate(bursts):
        now += pause
        for _ in range(frames):
            sent += 1
            track.add(Frame(sent.to_bytes(2, "little") * 160), now)
        if number % flush_every == 0:
            out += track.take(max(track.start, track.end - 4000)).tobytes()
    out += track.take(track.end).tobytes()
    heard = np.frombuffer(out, dtype="<u2")
    loud = heard[heard != 0]
    assert list(loud[::160]) == list(range(1, sent + 1))

"""Sound that is no caller: fax and modem tones, ringback and busy, music on hold, clipped and one-way audio.

Pure.  Tones are found by the share of a frame's energy at one frequency
(:mod:`agi_bot.speech.tones`).  Tone plans: ITU-T T.30 (CNG 1100 Hz, CED 2100 Hz), ITU-T
V.25 (answer tone 2100 Hz), ITU-T E.180 supplement 2 (China: 450 Hz; ringback 1 s on, 4 s
off; busy 0.35 s on, 0.35 s off), Bell 103 and V.21 carriers (1270, 1650, 2225 Hz).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from agi_bot.audio import Frame, Samples
from agi_bot.speech.tones import Floats, powers


class Signal(StrEnum):
    """What was found; the words stand in the call's record."""

    FAX = "fax"
    MODEM = "modem"
    RINGBACK = "ringback"
    BUSY = "busy"
    DIAL_TONE = "dial_tone"
    MUSIC = "music"
    CLIPPED = "clipped_audio"
    ONE_WAY = "one_way_audio"


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """Limits of the detectors.

    ``purity``: share of a frame's energy in one tone.  ``tone_ms``: a fax or modem tone must
    last so long.  ``quiet_dbfs``: softer frames count as silence.  ``clip_share``: share of
    a second's samples at full scale.  ``one_way_ms``: nothing but digital silence or
    unchanging sound for so long means that the caller's sound does not arrive.
    ``music_ms``: how long sound must go on without a pause, and ``music_share`` how much of
    it must be steady pitch, to be music.
    """

    purity: float = 0.8
    tone_ms: int = 400
    quiet_dbfs: float = -50.0
    clip_share: float = 0.02
    one_way_ms: int = 10_000
    music_ms: int = 4_000
    music_share: float = 0.5


_TONES: dict[float, Signal] = {
    1100.0: Signal.FAX,
    2100.0: Signal.FAX,
    1270.0: Signal.MODEM,
    1650.0: Signal.MODEM,
    2225.0: Signal.MODEM,
}
_CALL_PROGRESS = (450.0, 425.0, 440.0, 400.0)
_FULL_SCALE = 32_000


_LOOK_MS = 200
"""What only shows over seconds is looked at so often, for many frames at once."""


class Look:
    """What all detectors of what lasts want to know of a piece of sound, found once."""

    __slots__ = ("high", "low", "ms", "rate", "samples")

    def __init__(self, frame: Frame) -> None:
        self.samples = frame.samples
        self.rate = frame.rate
        self.ms = frame.ms
        self.low = int(self.samples.min(initial=32767))
        self.high = int(self.samples.max(initial=-32768))


class ToneDetector:
    """Fax and modem tones that last, and the cadence of the network's own tones."""

    _FREQUENCIES = (*_TONES, *_CALL_PROGRESS)

    def __init__(self, settings: SignalSettings | None = None) -> None:
        self._settings = settings or SignalSettings()
        self._quiet = (32768.0 * 10 ** (self._settings.quiet_dbfs / 20)) ** 2
        self._frequency = 0.0
        self._lasted_ms = 0.0
        self._on_ms = self._off_ms = 0.0
        self._bursts: deque[tuple[float, float]] = deque(maxlen=4)

    @property
    def tone(self) -> bool:
        """The last frame was one of the tones: it cannot be speech."""
        return bool(self._frequency)

    def push(self, frame: Frame) -> Signal | None:
        """What is certain after ``frame``; told at every frame while it lasts."""
        found = self._dominant(frame)
        if not found and not self._on_ms and not self._bursts:
            self._frequency = self._lasted_ms = 0.0
            return None
        return self._lasts(found, frame.ms)

    def _lasts(self, found: float, ms: float) -> Signal | None:
        self._lasted_ms = self._lasted_ms + ms if found and found == self._frequency else (ms if found else 0.0)
        self._frequency = found
        self._count_cadence(found in _CALL_PROGRESS, ms)
        if found in _TONES:
            return _TONES[found] if self._lasted_ms >= self._settings.tone_ms else None
        return self._cadence()

    def _dominant(self, frame: Frame) -> float:
        floats: Floats = frame.samples.astype(np.float32)
        energy = float(floats @ floats)
        if energy <= 0.0 or energy < self._quiet * len(floats):
            return 0.0
        found = powers(floats, frame.rate, self._FREQUENCIES)
        best = int(found.argmax())
        return self._FREQUENCIES[best] if found[best] >= self._settings.purity * energy else 0.0

    def _count_cadence(self, on: bool, ms: float) -> None:
        if on and self._off_ms:
            self._bursts.append((self._on_ms, self._off_ms))
            self._on_ms = self._off_ms = 0.0
        if on:
            self._on_ms += ms
        elif self._on_ms:
            self._off_ms += ms

    def _cadence(self) -> Signal | None:
        if self._on_ms >= 3000 and not self._off_ms:
            return Signal.DIAL_TONE
        recent = list(self._bursts)[-2:]
        if len(recent) == 2 and all(_near(on, 350) and _near(off, 350) for on, off in recent):
            return Signal.BUSY
        if self._off_ms > 1500 and _near(self._on_ms, 1000) and self._off_ms < 6000:
            return Signal.RINGBACK
        return None


def _near(value: float, wanted: float) -> bool:
    return abs(value - wanted) <= max(80.0, wanted * 0.3)


class MusicDetector:
    """Music on hold: sound without the pauses of speech, in which pitches stand still.

    Speech glides and stops some four times a second; a note stays on its frequency.  A frame
    is *steady* when its spectral peak is where the peak of the frame before was.  Spectra
    are looked at only when there was no pause for long enough: most callers never need one.
    """

    _BLOCK_MS = 40
    _LOUD_SHARE = 0.95

    def __init__(self, settings: SignalSettings | None = None) -> None:
        self._settings = settings or SignalSettings()
        self._size = self._settings.music_ms // self._BLOCK_MS
        self._least = 32768.0**2 * 10 ** (self._settings.quiet_dbfs / 10)
        self._rest: Samples = np.zeros(0, np.int16)
        self._unseen: deque[Samples] = deque(maxlen=self._size + 1)
        self._loud: deque[bool] = deque(maxlen=self._size)
        self._steady: deque[bool] = deque(maxlen=self._size)
        self._peaks: frozenset[int] = frozenset()

    def look(self, look: Look) -> Signal | None:
        """:attr:`Signal.MUSIC` while it is certain."""
        self._cut(look)
        if sum(self._loud) < self._LOUD_SHARE * self._size:
            return None
        self._see()
        return Signal.MUSIC if sum(self._steady) >= self._settings.music_share * self._size else None

    def _cut(self, look: Look) -> None:
        sound = np.concatenate([self._rest, look.samples]) if len(self._rest) else look.samples
        size = max(1, look.rate * self._BLOCK_MS // 1000)
        whole = len(sound) // size * size
        blocks, self._rest = sound[:whole].reshape(-1, size), sound[whole:]
        floats = blocks.astype(np.float32)
        self._loud.extend((np.einsum("ij,ij->i", floats, floats) >= self._least * size).tolist())
        self._unseen.extend(blocks)

    def _see(self) -> None:
        """Catch up with the spectra of the blocks since it was last loud for so long."""
        while self._unseen:
            peaks = _peaks(self._unseen.popleft().astype(np.float32) / np.float32(32768))
            self._steady.append(len(peaks & self._peaks) >= 2)
            self._peaks = peaks


@lru_cache(maxsize=4)
def _window(size: int) -> Floats:
    return np.hanning(size).astype(np.float32)


def _peaks(block: Floats) -> frozenset[int]:
    """Bins (about 8 Hz) of the four strongest narrow peaks."""
    spectrum = np.abs(np.fft.rfft(block * _window(len(block)), 1024)) ** 2
    middle = spectrum[1:-1]
    tops = np.flatnonzero((middle > spectrum[:-2]) & (middle >= spectrum[2:])) + 1
    strongest = tops[np.argsort(spectrum[tops])[-4:]]
    floor = 30 * float(np.median(spectrum)) + 1e-12
    return frozenset(int(bin_) for bin_ in strongest if spectrum[bin_] > floor)


class ClippingDetector:
    """Overdriven sound: too many samples at full scale within a second."""

    _SPAN_MS = 1000

    def __init__(self, settings: SignalSettings | None = None) -> None:
        self._settings = settings or SignalSettings()
        self._pieces: deque[tuple[int, int, float]] = deque()
        """Clipped samples, all samples and ms of each piece."""
        self._clipped = self._total = 0
        self._ms = 0.0

    def look(self, look: Look) -> Signal | None:
        """:attr:`Signal.CLIPPED` while the last second is overdriven."""
        self._count(_at_full_scale(look), len(look.samples), look.ms)
        if self._ms < self._SPAN_MS:
            return None
        return Signal.CLIPPED if self._clipped >= self._settings.clip_share * max(1, self._total) else None

    def _count(self, clipped: int, samples: int, ms: float) -> None:
        self._pieces.append((clipped, samples, ms))
        self._add(clipped, samples, ms)
        while self._ms - self._pieces[0][2] >= self._SPAN_MS:
            gone, size, length = self._pieces.popleft()
            self._add(-gone, -size, -length)

    def _add(self, clipped: int, samples: int, ms: float) -> None:
        self._clipped += clipped
        self._total += samples
        self._ms += ms


def _at_full_scale(look: Look) -> int:
    if look.high < _FULL_SCALE and look.low > -_FULL_SCALE:
        return 0
    return int(np.count_nonzero((look.samples >= _FULL_SCALE) | (look.samples <= -_FULL_SCALE)))


class OneWayDetector:
    """The caller's sound does not arrive: digital silence, or one sample value, from the very start.

    A living line has noise.  Lines with silence suppression send exact silence too, so it is
    told only when nothing else was heard since the call began, or for twice the time later.
    """

    def __init__(self, settings: SignalSettings | None = None) -> None:
        self._settings = settings or SignalSettings()
        self._dead_ms = 0.0
        self._alive = False

    def look(self, look: Look) -> Signal | None:
        """:attr:`Signal.ONE_WAY` once it is certain."""
        if look.high - look.low > 16:
            self._alive, self._dead_ms = True, 0.0
            return None
        self._dead_ms += look.ms
        limit = self._settings.one_way_ms * (2 if self._alive else 1)
        return Signal.ONE_WAY if self._dead_ms >= limit else None


class LineSignals:
    """All detectors over one call's incoming sound; each signal is told once."""

    def __init__(self, settings: SignalSettings | None = None) -> None:
        self.tones = ToneDetector(settings)
        self._lasting = (MusicDetector(settings), ClippingDetector(settings), OneWayDetector(settings))
        self._unseen: list[bytes] = []
        self._unseen_ms = 0.0
        self._rate = 0
        self._told: set[Signal] = set()

    def push(self, frame: Frame) -> list[Signal]:
        """Signals that ``frame`` made certain for the first time in this call."""
        tone = self.tones.push(frame)
        found = [tone] if tone is not None else []
        if frame.rate != self._rate:
            self._rate, self._unseen, self._unseen_ms = frame.rate, [], 0.0
        self._unseen.append(frame.pcm)
        self._unseen_ms += frame.ms
        if self._unseen_ms >= _LOOK_MS:
            found += self._look()
        return self._new(found) if found else []

    def _look(self) -> list[Signal]:
        look = Look(Frame(b"".join(self._unseen), self._rate))
        self._unseen, self._unseen_ms = [], 0.0
        return [signal for detector in self._lasting if (signal := detector.look(look)) is not None]

    def _new(self, found: list[Signal]) -> list[Signal]:
        new = [signal for signal in dict.fromkeys(found) if signal not in self._told]
        self._told.update(new)
        return new

"""The form of sound that ``unicast`` carries, and the way between it and the call's own.  Pure.

FreeSWITCH sends one datagram a frame: 16-bit little-endian mono PCM at the rate of the
channel's read codec, without any header (``switch_ivr_park`` of switch_ivr.c).  It wants frames
of exactly the same size back: others become RTP packets of a wrong length.
"""

from __future__ import annotations

from dataclasses import dataclass

from agi_bot.audio import Frame, Resampler, frame_bytes
from agi_bot.errors import ProtocolError

LENGTHS_MS = (10, 20, 30, 40, 60, 80, 100, 120)
"""What a codec's packet may hold, ms."""

USUAL = {320: 8000, 640: 16000, 960: 24000, 1920: 48000}
"""Bytes of a datagram of 20 ms to its rate, Hz: G.711, G.722, Opus."""


@dataclass(frozen=True, slots=True)
class WireForm:
    """``rate`` in Hz, ``size`` in bytes of a datagram."""

    rate: int
    size: int

    @property
    def ms(self) -> float:
        """Length of a datagram's sound."""
        return self.size * 500 / self.rate


def wire_form(size: int, told_rate: int = 0) -> WireForm:
    """The form of a first datagram of ``size`` bytes, on a channel whose read rate is ``told_rate``.

    Raises :class:`~agi_bot.errors.ProtocolError` for a size that no codec makes.
    """
    rate = told_rate or USUAL.get(size, 0)
    if not rate or size % 2 or size not in {frame_bytes(rate, ms) for ms in LENGTHS_MS}:
        raise ProtocolError(
            f"a sound datagram of {size} bytes at {told_rate or 'an unknown rate of'} Hz",
            cure="is something else sending to the bot's media port?",
        )
    return WireForm(rate, size)


class Adapter:
    """Turns sound of the call's rate into datagrams of ``form`` and back.

    Usually both have one rate; after a change of codec in mid-call they have not.
    """

    def __init__(self, rate: int, form: WireForm) -> None:
        self._rate = rate
        self._form = form
        same = rate == form.rate
        self._inward = None if same else Resampler(form.rate, rate)
        self._outward = None if same else Resampler(rate, form.rate)
        self._rest = b""
        self._silence = bytes(frame_bytes(rate))

    def heard(self, datagram: bytes) -> Frame:
        """The sound of a datagram; an odd last byte is dropped."""
        frame = Frame(datagram[: len(datagram) // 2 * 2], self._form.rate)
        return frame if self._inward is None else self._inward.push(frame)

    def spoken(self, chunk: bytes | None) -> list[bytes]:
        """The datagrams that are complete after another 20 ms (None: of silence)."""
        pcm = self._silence if chunk is None else chunk
        if self._outward is not None:
            pcm = self._outward.push(Frame(pcm, self._rate)).pcm
        if not self._rest and len(pcm) == self._form.size:
            return [pcm]
        return self._cut(pcm)

    def _cut(self, pcm: bytes) -> list[bytes]:
        whole = self._rest + pcm
        size = self._form.size
        count = len(whole) // size
        self._rest = whole[count * size :]
        return [whole[place * size : (place + 1) * size] for place in range(count)]

"""The form of the sound on the wire: sizes, rates and other frame lengths."""

from __future__ import annotations

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.errors import ProtocolError
from agi_bot.pbx.freeswitch.wire import Adapter, WireForm, wire_form


@pytest.mark.parametrize(
    ("size", "told", "rate", "ms"),
    [
        (320, 8000, 8000, 20), (640, 16000, 16000, 20), (1920, 48000, 48000, 20), (480, 8000, 8000, 30),
        (160, 8000, 8000, 10), (640, 8000, 8000, 40), (320, 0, 8000, 20), (640, 0, 16000, 20), (1920, 0, 48000, 20),
    ],
)  # fmt: skip
def test_forms(size: int, told: int, rate: int, ms: int) -> None:
    form = wire_form(size, told)
    assert (form.rate, form.ms) == (rate, ms)


@pytest.mark.parametrize(("size", "told"), [(0, 8000), (1, 8000), (321, 8000), (300, 8000), (480, 0), (172, 0)])
def test_sizes_that_no_codec_makes(size: int, told: int) -> None:
    with pytest.raises(ProtocolError, match=f"{size} bytes"):
        wire_form(size, told)


def test_the_usual_form_passes_through() -> None:
    adapter = Adapter(8000, WireForm(8000, 320))
    chunk = bytes(range(256)) + bytes(64)
    assert adapter.spoken(chunk) == [chunk]
    assert adapter.spoken(None) == [bytes(320)]
    assert adapter.heard(chunk) == Frame(chunk, 8000)


def test_an_odd_byte_is_dropped() -> None:
    assert Adapter(8000, WireForm(8000, 320)).heard(b"abc").pcm == b"ab"


@pytest.mark.parametrize("ms", [10, 30, 40, 60])
def test_other_lengths_lose_and_add_nothing(ms: int) -> None:
    adapter = Adapter(8000, WireForm(8000, 16 * ms))
    spoken = [bytes([number]) * 320 for number in range(1, 13)]
    datagrams = [datagram for chunk in spoken for datagram in adapter.spoken(chunk)]
    assert {len(datagram) for datagram in datagrams} == {16 * ms}
    assert b"".join(datagrams) == b"".join(spoken)[: len(datagrams) * 16 * ms]
    assert len(datagrams) == 240 // ms


def test_after_a_change_of_codec_the_calls_rate_stays() -> None:
    adapter = Adapter(8000, WireForm(16000, 640))
    tone = (8000 * np.sin(2 * np.pi * 500 * np.arange(8000) / 8000)).astype("<i2").tobytes()
    out = [datagram for start in range(0, 16000, 320) for datagram in adapter.spoken(tone[start : start + 320])]
    assert {len(datagram) for datagram in out} == {640}
    assert 45 <= len(out) <= 50
    back = b"".join(adapter.heard(datagram).pcm for datagram in out)
    spectrum = np.abs(np.fft.rfft(np.frombuffer(back, dtype="<i2")[2000:6000].astype(float)))
    assert int(np.argmax(spectrum)) * 8000 / 4000 == pytest.approx(500, abs=4)
    assert adapter.heard(out[0]).rate == 8000

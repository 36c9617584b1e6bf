"""The AudioSocket wire format, without I/O.

A message is one byte kind, two bytes payload length (big-endian), payload.  Source:
``include/asterisk/res_audiosocket.h`` of Asterisk and measurements on 22.10:

====== ========== ===================================================================
kind   length     meaning
====== ========== ===================================================================
0x00   0          hang up (Asterisk itself never sends it, it just closes)
0x01   16         the call's UUID, binary; always the first message, and sent once
0x03   1          a DTMF key in ASCII, at the end of the key (since 20.14, 21.9, 22.4)
0x10   n * 2      sound, 16-bit little-endian mono at 8000 Hz
0x11-8 n * 2      the same at 12, 16, 24, 32, 44.1, 48, 96, 192 kHz (since 22.7)
0xff   0 or 1     Asterisk reports an error, with a code
====== ========== ===================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import ProtocolError

KIND_HANG_UP = 0x00
KIND_HELLO = 0x01
KIND_DIGIT = 0x03
KIND_SOUND = 0x10
KIND_ERROR = 0xFF

RATES = {
    0x10: 8000,
    0x11: 12000,
    0x12: 16000,
    0x13: 24000,
    0x14: 32000,
    0x15: 44100,
    0x16: 48000,
    0x17: 96000,
    0x18: 192000,
}
"""Sampling rate in Hz for every kind that carries sound."""

KINDS = {rate: kind for kind, rate in RATES.items()}

MAX_SOUND_MS = 500
"""Longest sound in one message, ms.  RTP packets carry 20-200 ms; more is not a telephone."""

KEYS = "0123456789*#ABCD"
HEADER_BYTES = 3


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: which call this connection belongs to."""

    uuid: UUID


@dataclass(frozen=True, slots=True)
class HangUp:
    """The peer ends the connection in good order."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Asterisk reports an error; ``code`` 0x01 hang-up, 0x02 frame, 0x04 memory, 0 when not told."""

    code: int


Message = Hello | Frame | Digit | HangUp | Failure


class Parser:
    """Bytes in, messages out.

    Call :meth:`receive` with whatever arrived, then iterate over :meth:`messages`.  Every
    message before a fault is given out; then :class:`ProtocolError` is raised, and again
    on each further use.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._consumed = 0
        self._count = 0
        self._known = (-1, 0)
        """Kind and length of the last message, which were right: sound is alike for a whole call."""
        self._fault: ProtocolError | None = None

    def receive(self, data: bytes | memoryview) -> None:
        """Take ``data`` from the wire; nothing is looked at yet."""
        self._buffer += data

    def messages(self) -> Iterator[Message]:
        """All messages that are complete.  Raises :class:`ProtocolError`."""
        if self._fault is not None:
            raise self._fault
        while (message := self._next()) is not None:
            yield message

    def end(self) -> None:
        """The wire ended.  Raises :class:`ProtocolError` when it ended inside a message."""
        if self._fault is None and self._buffer:
            raise self._error(f"the connection ended after {len(self._buffer)} bytes of a message")

    def _next(self) -> Message | None:
        buffer = self._buffer
        if len(buffer) < HEADER_BYTES:
            return None
        length = buffer[1] << 8 | buffer[2]
        kind = self._checked(buffer[0], length)
        end = HEADER_BYTES + length
        if len(buffer) < end:
            return None
        message = self._read(kind, bytes(buffer[HEADER_BYTES:end]))
        del buffer[:end]
        self._consumed += end
        self._count += 1
        return message

    def _checked(self, kind: int, length: int) -> int:
        """``kind``, which such a message may have now."""
        if (kind, length) != self._known:
            if (wrong := self._wrong(kind, length)) is not None:
                raise self._error(wrong)
            if kind in RATES:
                self._known = kind, length
        return kind

    def _wrong(self, kind: int, length: int) -> str | None:
        if self._count == 0 and kind != KIND_HELLO:
            return f"the first message must be the UUID (kind 0x01), not kind 0x{kind:02x}"
        if kind in RATES:
            return _wrong_sound(kind, length)
        if kind not in _LENGTHS:
            return f"kind 0x{kind:02x} is unknown"
        if length not in _LENGTHS[kind]:
            return f"kind 0x{kind:02x} cannot have a payload of {length} bytes"
        if kind == KIND_HELLO and self._count:
            return "a second UUID on one connection"
        return None

    def _read(self, kind: int, payload: bytes) -> Message:
        if kind in RATES:
            return Frame(payload, RATES[kind])
        if kind == KIND_HELLO:
            return Hello(UUID(bytes=payload))
        if kind == KIND_DIGIT:
            return self._digit(payload)
        if kind == KIND_ERROR:
            return Failure(payload[0] if payload else 0)
        return HangUp()

    def _digit(self, payload: bytes) -> Digit:
        key = payload.decode("latin-1").upper()
        if key not in KEYS:
            raise self._error(f"0x{payload[0]:02x} is not a DTMF key")
        return Digit(key)

    def _error(self, what: str) -> ProtocolError:
        self._fault = ProtocolError(
            f"AudioSocket message {self._count + 1} at byte {self._consumed}: {what}",
            cure="is something else than Asterisk's AudioSocket connected to this port?",
        )
        return self._fault


_LENGTHS = {KIND_HANG_UP: (0,), KIND_HELLO: (16,), KIND_DIGIT: (1,), KIND_ERROR: (0, 1)}


def _wrong_sound(kind: int, length: int) -> str | None:
    if length == 0:
        return f"sound (kind 0x{kind:02x}) of 0 bytes"
    if length % 2:
        return f"sound (kind 0x{kind:02x}) of {length} bytes, which is not a number of 16-bit samples"
    limit = RATES[kind] * MAX_SOUND_MS // 1000 * 2
    if length > limit:
        return f"sound (kind 0x{kind:02x}) of {length} bytes, more than {limit} ({MAX_SOUND_MS} ms)"
    return None


HANG_UP = bytes((KIND_HANG_UP, 0, 0))
"""The message that ends the connection in good order: the dialplan goes on."""


def header(rate: int, length: int) -> bytes:
    """Header of a message with ``length`` bytes of sound at ``rate`` Hz; :class:`ValueError` for others."""
    kind = KINDS.get(rate)
    if kind is None:
        raise ValueError(f"AudioSocket carries no sound at {rate} Hz")
    return bytes((kind,)) + length.to_bytes(2, "big")


def encode(message: Message) -> bytes:
    """The bytes of ``message``; sound must fit into one message (65535 bytes)."""
    if isinstance(message, Frame):
        return header(message.rate, len(message.pcm)) + message.pcm
    if isinstance(message, Hello):
        return bytes((KIND_HELLO, 0, 16)) + message.uuid.bytes
    if isinstance(message, Digit):
        return bytes((KIND_DIGIT, 0, 1)) + message.key.encode("ascii")
    if isinstance(message, Failure):
        return bytes((KIND_ERROR, 0, 1, message.code))
    return HANG_UP

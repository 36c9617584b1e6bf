"""The sound of an EAGI call: heard through a connection, spoken by files."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.agi import commands
from agi_bot.pbx.agi.server import Session
from agi_bot.pbx.audiosocket import Line
from agi_bot.pbx.audiosocket.protocol import KEYS

PIECE_S = 2
"""A file once started is played to its end, so that this is how long a cut play may still be heard, s."""


class EagiMedia:
    """Keeps :class:`~agi_bot.pbx.call.Media`, but for one thing: :meth:`play` is cut late.

    ``spool`` is a folder that Asterisk can read.  A key ends a file; ``keys_elsewhere``
    tells that keys come by another way and shall not.
    """

    def __init__(self, line: Line, session: Session, spool: str, *, keys_elsewhere: bool) -> None:
        self._line = line
        self._session = session
        self._folder = Path(spool or tempfile.gettempdir())
        self._keys = "" if keys_elsewhere else KEYS
        self._count = 0
        self._streaming: asyncio.Task[None] | None = None

    @property
    def rate(self) -> int:
        return LINE_RATE

    def frames(self) -> AsyncIterator[Frame | Digit]:
        return self._line.frames()

    def press(self, key: str) -> None:
        self._line.press(key)

    def close(self, reason: str) -> None:
        self._line.close(reason)

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        self._check_gone()
        pcm = bytearray()
        async for frame in frames:
            if frame.rate != LINE_RATE:
                raise ValueError(f"the line carries {LINE_RATE} Hz, not {frame.rate} Hz")
            pcm += frame.pcm
            if len(pcm) >= PIECE_S * LINE_RATE * 2:
                await self._speak(bytes(pcm))
                pcm.clear()
        if pcm:
            await self._speak(bytes(pcm))

    @property
    def unheard_ms(self) -> int:
        """None: what is gathered becomes a file, and a file that runs is heard to its end."""
        return 0

    @property
    def due_ms(self) -> None:
        """Nobody knows: when Asterisk begins a file is not told."""
        return None

    @property
    def lost(self) -> str:
        return self._line.lost

    async def _speak(self, pcm: bytes) -> None:
        """An AGI command cannot be taken back: a cancelled play leaves the running file to its end."""
        if self._streaming is not None:
            await asyncio.wait({self._streaming})
        self._check_gone()
        self._streaming = asyncio.create_task(self._stream(pcm))
        self._streaming.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        await asyncio.shield(self._streaming)

    async def _stream(self, pcm: bytes) -> None:
        self._count += 1
        path = self._folder / f"agi-bot-{self._line.uuid}-{self._count}.sln"
        try:
            path.write_bytes(pcm)
            seconds = len(pcm) / 2 / LINE_RATE
            reply = await self._session.send(commands.stream_file(str(path.with_suffix("")), self._keys), seconds + 5)
        except OSError as error:
            raise PbxError(f"cannot write the sound file {path}: {error}", cure="check asterisk.spool") from error
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
        if reply.number > 0:
            self._line.press(chr(reply.number))
        self._check_gone()
        if not reply.ok:
            raise PbxError(f"Asterisk cannot play {path}", cure="set asterisk.spool to a folder that it can read")

    def _check_gone(self) -> None:
        if self._line.ended.is_set() or self._session.hung_up.is_set():
            raise CallGone("the caller hung up")

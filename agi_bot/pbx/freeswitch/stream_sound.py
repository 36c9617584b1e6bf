"""The sound of a call with mod_audio_stream: heard over its WebSocket, spoken by files that it writes.

The module (its open version) sends the caller's sound and cannot play.  It writes the sound of a
``streamAudio`` message into a file and tells its name in an event (``processMessage`` of
audio_streamer_glue.cpp); the channel then plays the file like any other.  Two files that follow
each other lie 20 ms apart; a break is silence within 20 ms.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterable
from contextlib import suppress
from typing import Any

from agi_bot.audio import Frame
from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.freeswitch.files import Files
from agi_bot.pbx.freeswitch.pieces import FIRST_S, LONGEST_S, Pieces
from agi_bot.pbx.freeswitch.socket_sound import SocketSound
from agi_bot.pbx.media import LineClock
from esl import EslError, Event, Session, SessionGone

log = logging.getLogger(__name__)

PLAY_EVENT = "mod_audio_stream::play"

LEAD_S = 0.25
"""So long before a file's end the next one is made and queued, s."""

FILE_WAIT_S = 2.0
"""How long the module may take to write a file, s."""

NEXT_S = 0.6
"""A piece is at least that long, so that a voice that is only just fast enough does not stutter, s."""


class StreamSound(SocketSound):
    """Plays files one after another in ``session``'s channel."""

    def __init__(self, session: Session, clock: LineClock, inbox_frames: int) -> None:
        super().__init__(clock, inbox_frames)
        self._session = session
        self._pieces: Pieces | None = None
        """Of the play that runs."""
        self._files = Files()
        self._hushing: asyncio.Task[None] | None = None

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        self._check()
        if self._pieces is not None:
            raise PbxError("this call is playing already", cure="await or cancel the other play() first")
        self._pieces = pieces = Pieces(frames, self.rate)
        reading = asyncio.create_task(pieces.read())
        try:
            if self._hushing is not None:
                await asyncio.wait({self._hushing})
            await self._speak(pieces)
        except asyncio.CancelledError:
            self._files.forget()
            self._hushing = asyncio.create_task(self._hush())
            raise
        except SessionGone as error:
            raise CallGone("the caller hung up") from error
        except EslError as error:
            raise PbxError(f"FreeSWITCH cannot play: {error}", cure="is mod_sndfile loaded?") from error
        finally:
            self._pieces = None
            reading.cancel()

    @property
    def unheard_ms(self) -> int:
        """What lies in pieces and in files that were not played to their end."""
        if self._pieces is None:
            return 0
        return round((self._pieces.held_s + self._files.left_s) * 1000)

    async def _speak(self, pieces: Pieces) -> None:
        last: asyncio.Future[Event] | None = None
        wanted = FIRST_S
        while pcm := await pieces.next(wanted):
            seconds = len(pcm) / 2 / self.rate
            with self._files.writing(seconds):
                path = await self._file(pcm)
            last = asyncio.ensure_future(self._session.execute("playback", path))
            self._files.play(last, seconds)
            self._counters.sent += 1
            wanted = min(NEXT_S, LONGEST_S)
            await self._until(self._files.ends - LEAD_S)
        if last is not None:
            await self._done(last)

    async def _until(self, when: float) -> None:
        """Sleep, but not beyond the call's end."""
        delay = when - asyncio.get_running_loop().time()
        if delay > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), delay)
        self._check()

    async def _done(self, last: asyncio.Future[Event]) -> None:
        ended = asyncio.ensure_future(self.ended.wait())
        try:
            waiting: set[asyncio.Future[Any]] = {last, ended}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        self._check()
        last.result()

    async def _file(self, pcm: bytes) -> str:
        """The name of a file on FreeSWITCH's machine that holds ``pcm``.  Raises :class:`PbxError`."""
        self._check()
        assert self._wire is not None
        with self._session.listen("CUSTOM", PLAY_EVENT) as events:
            self._wire.send(stream_audio(pcm, self.rate))
            try:
                async with asyncio.timeout(FILE_WAIT_S):
                    return file_of(await anext(events))
            except StopAsyncIteration:
                raise CallGone("the caller hung up") from None
            except TimeoutError:
                self._check()
                cure = "can FreeSWITCH write into its folder for temporary files?"
                raise PbxError(f"mod_audio_stream wrote no file within {FILE_WAIT_S:g} s", cure=cure) from None

    async def _hush(self) -> None:
        """End the file that plays, and those that wait behind it."""
        queued = self._files.playing
        try:
            if queued:
                await self._session.session_api("uuid_break", "all")
        except EslError as error:
            log.info("stream.not_hushed", extra={"unique_id": self._session.uuid, "reason": str(error)})
        for done in queued:
            done.cancel()

    def _check(self) -> None:
        if self.ended.is_set() or self._wire is None:
            raise CallGone(f"the call's sound is gone: {self.reason or 'the caller hung up'}")


def stream_audio(pcm: bytes, rate: int) -> str:
    """The message that makes a file of ``pcm``."""
    data = {"audioDataType": "raw", "sampleRate": rate, "audioData": base64.b64encode(pcm).decode("ascii")}
    return json.dumps({"type": "streamAudio", "data": data})


def file_of(event: Event) -> str:
    """The file's name in a ``mod_audio_stream::play`` event.  Raises :class:`PbxError`."""
    try:
        return str(json.loads(event.body)["file"])
    except (ValueError, KeyError, TypeError):
        raise PbxError(f"mod_audio_stream tells no file: {event.body[:80]}", cure="is it a newer version?") from None

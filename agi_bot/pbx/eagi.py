#!/usr/bin/env python3
"""``agi-bot-eagi``: lets a bot hear a call by EAGI and speak by files.

Asterisk starts this script for a call (``EAGI(agi-bot-eagi,flow)``); it is copied into
Asterisk's ``agi-bin`` folder or installed with agi-bot, and runs with the machine's own
Python: standard library only.  It connects to the running bot on this machine and passes on

* AGI, between our standard input and output and the bot's FastAGI port;
* the caller's sound, from file descriptor 3 (16-bit mono PCM, 8000 Hz) to its AudioSocket port.

The bot speaks by ``STREAM FILE``, so it cannot be interrupted in mid-sentence but by a key.
``AGI_BOT_AGI`` and ``AGI_BOT_AUDIO`` (``host:port``) in the environment tell where the bot is.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import uuid

STDIN, STDOUT, SOUND = 0, 1, 3
SOUND_BYTES = 320
CONNECT_S = 1.0
HELLO, SLIN_8000 = 0x01, 0x10


def main() -> int:
    """Pass on until either side ends; 1 when no bot is there (AGISTATUS becomes FAILURE)."""
    try:
        agi = _connect(os.environ.get("AGI_BOT_AGI", "127.0.0.1:4573"))
    except OSError as error:
        print(f"agi-bot-eagi: no bot answers: {error}", file=sys.stderr)
        return 1
    call = uuid.uuid4()
    agi.sendall(_header(call))
    # The caller hung up: FastAGI tells that with a line, AGI with a signal.
    signal.signal(signal.SIGHUP, lambda number, frame: agi.sendall(b"HANGUP\n"))
    with contextlib.suppress(OSError):
        _relay(agi, call)
    return 0


def _connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=CONNECT_S)


def _header(call: uuid.UUID) -> bytes:
    """The header block from Asterisk with one line of our own in it."""
    block = b""
    while not block.endswith(b"\n\n"):
        byte = os.read(STDIN, 1)  # one by one: what follows belongs to the replies
        if not byte:
            break
        block += byte
    return block[:-1] + f"agi_audiosocket: {call}\n\n".encode()


def _relay(agi: socket.socket, call: uuid.UUID) -> None:
    agi.settimeout(None)
    sound: socket.socket | None = None
    sources: list[int | socket.socket] = [STDIN, agi]
    while True:
        ready = select.select(sources, [], [])[0]
        if agi in ready:
            commands = agi.recv(65536)
            if not commands:
                return
            os.write(STDOUT, commands)
            if sound is None:  # the bot's first command: it has read the header and expects the call's sound
                sound = _open_sound(call)
                sources += [SOUND, sound]
        if STDIN in ready:
            replies = os.read(STDIN, 65536)
            if not replies:
                return
            agi.sendall(replies)
        if SOUND in ready and sound is not None and not _pass_sound(sound):
            sources.remove(SOUND)
        if sound in ready and sound is not None and not sound.recv(65536):
            sources.remove(sound)  # what the bot sends there is silence: it speaks by files
            if SOUND in sources:
                sources.remove(SOUND)


def _open_sound(call: uuid.UUID) -> socket.socket:
    sound = _connect(os.environ.get("AGI_BOT_AUDIO", "127.0.0.1:4574"))
    sound.settimeout(None)
    sound.sendall(bytes((HELLO, 0, 16)) + call.bytes)
    return sound


def _pass_sound(sound: socket.socket) -> bool:
    """Asterisk writes 20 ms at a time; a read can bring several, or end in mid-sample."""
    pcm = os.read(SOUND, SOUND_BYTES)
    if len(pcm) % 2:
        pcm += os.read(SOUND, 1)
    if pcm:
        sound.sendall(bytes((SLIN_8000,)) + len(pcm).to_bytes(2, "big") + pcm)
    return bool(pcm)


if __name__ == "__main__":
    sys.exit(main())

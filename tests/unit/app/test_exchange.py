"""``agi-bot call`` beside a running ``agi-bot serve``."""

from __future__ import annotations

import socket

from agi_bot.app.exchange import beside_a_running_bot
from agi_bot.config import Settings
from agi_bot.demo.ports import free_port


def on(agi: int, audio: int, address: str = "") -> Settings:
    return Settings.model_validate({"asterisk": {"agi_port": agi, "audio_port": audio, "audio_address": address}})


def test_free_ports_stay_as_they_are() -> None:
    settings = on(free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM))
    assert beside_a_running_bot(settings) == settings


def test_ports_of_a_running_bot_are_left_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as serving:
        port = serving.getsockname()[1]
        for taken in (on(port, 0), on(0, port)):
            asterisk = beside_a_running_bot(taken).asterisk
            assert (asterisk.agi_port, asterisk.audio_port) == (0, 0)
        told = on(0, port, f"10.0.0.1:{port}")
        assert beside_a_running_bot(told) == told


def on_freeswitch(port: int, media_port: int = 0) -> Settings:
    return Settings.model_validate({"pbx": "freeswitch", "freeswitch": {"listen_port": port, "media_port": media_port}})


def test_on_freeswitch_too_a_running_bot_keeps_its_ports() -> None:
    free = on_freeswitch(free_port(socket.SOCK_STREAM))
    assert beside_a_running_bot(free) == free
    with socket.create_server(("127.0.0.1", 0)) as serving:
        port = serving.getsockname()[1]
        for taken in (on_freeswitch(port), on_freeswitch(free_port(socket.SOCK_STREAM), port)):
            freeswitch = beside_a_running_bot(taken).freeswitch
            assert (freeswitch.listen_port, freeswitch.media_port) == (0, 0)

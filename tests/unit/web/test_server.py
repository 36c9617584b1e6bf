"""HTTP inside the bot's loop: real sockets, TLS, ports that are taken."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from agi_bot.campaign.office import Office
from agi_bot.errors import ConfigError
from agi_bot.web.api import Options, application
from agi_bot.web.live import Live
from agi_bot.web.server import Tls, serving


async def test_it_answers_and_stops(office: Office) -> None:
    async with serving(application(office, Live(), Options()), "127.0.0.1", 0) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            answer = await client.get("/healthz")
        assert answer.json() == {"status": "ok"}
        assert "server" not in answer.headers
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(url + "/healthz")


async def test_an_answer_leaves_at_once(office: Office) -> None:
    """Accepted sockets have Nagle's algorithm off: head and body of an answer are two packets."""
    seen: list[int] = []

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    async with serving(app, "127.0.0.1", 0) as url:  # type: ignore[arg-type]
        port = int(url.rsplit(":", 1)[1])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(30):
            while not seen:
                await asyncio.sleep(0.01)
                for transport in asyncio.get_running_loop()._transports.values():  # type: ignore[attr-defined]
                    peer = transport.get_extra_info("sockname")
                    if peer and peer[1] == port:
                        sock = transport.get_extra_info("socket")
                        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
    assert all(seen)


async def test_a_port_that_is_taken(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)):
            async with serving(application(office, Live(), Options()), "127.0.0.1", port):
                pass


async def test_tls(office: Office, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    made = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    trusted = ssl.create_default_context(cafile=str(certificate))
    app = application(office, Live(), Options())
    async with serving(app, "127.0.0.1", 0, Tls(certificate, key)) as url:
        assert url.startswith("https://")
        async with httpx.AsyncClient(verify=trusted, trust_env=False) as client:
            assert (await client.get(url + "/healthz")).status_code == 200
    (tmp_path / "bad.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match="certificate"):
        async with serving(app, "127.0.0.1", 0, Tls(tmp_path / "bad.pem")):
            pass

"""Commands a second, ours and greenswitch's, on the same bytes.

* 100 at once on one connection: what a bot with many calls does on its one inbound link;
* one after another on one connection: what a script does;
* 100 connections, one command at a time on each: every call asks something on its own socket;
* applications: 100 calls, each runs ``set`` again and again and waits for its end, which an event tells;
* the protocol alone: commands to bytes and replies to commands, without a socket.

greenswitch is used as its documentation shows, with a greenlet for each caller.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import esl
from esl import commands
from esl.protocol import Connection, Role
from esl.testing import GREETING, encode_reply, encode_response
from tests.bench.against_green import best_of, figure, green
from tests.bench.esl_peers import Peer, peer
from tests.bench.results import Figure

CALLS = 100
ROUNDS = 5


GREEN_COMMANDS = """
    import contextlib, sys, time, gevent
    from greenswitch.esl import InboundESL
    port, links, callers, each, limit = map(int, sys.argv[1:])
    peers = [InboundESL("127.0.0.1", port, "x") for _ in range(links)]
    for peer in peers:
        peer.connect()

    def work(peer):
        for _ in range(each):
            with gevent.Timeout(limit) if limit else contextlib.nullcontext():
                peer.send("api uuid_exists 7")

    best = 0
    for _ in range(5):
        start = time.process_time()
        gevent.joinall([gevent.spawn(work, peers[number % links]) for number in range(callers)])
        best = max(best, callers * each / (time.process_time() - start))
    print(best)
"""


def green_commands(port: int, links: int, callers: int, each: int, limit: int = 0) -> float:
    return green(GREEN_COMMANDS, *map(str, (port, links, callers, each, limit)))


async def our_commands(port: int, links: int, callers: int, each: int, transport: str = "native") -> float:
    clients = [esl.Client("127.0.0.1", port, "x", transport=esl.backend(transport)) for _ in range(links)]
    for client in clients:
        await client.connect()

    async def work(client: esl.Client) -> None:
        for _ in range(each):
            await client.api("uuid_exists 7")

    rates = []
    for _ in range(ROUNDS):
        start = time.process_time()
        await asyncio.gather(*[work(clients[number % links]) for number in range(callers)])
        rates.append(callers * each / (time.process_time() - start))
    for client in clients:
        await client.close()
    return max(rates)


def in_turns(*measures: Callable[[], float]) -> list[float]:
    """The best of each, measured one after another three times: the machine is not alike at all times."""
    return list(map(max, zip(*[[measure() for measure in measures] for _ in range(3)], strict=True)))


def compared(name: str, ours: float, theirs: float) -> list[Figure]:
    """Both rates and how they compare; ``name`` may be empty."""
    end = f"_{name}" if name else ""
    return [
        figure(f"commands_per_s{end}", ours, "1/s"),
        figure(f"commands_per_s{end}_greenswitch", theirs, "1/s"),
        figure(f"commands_ratio{end}_to_greenswitch", ours / theirs, "x"),
    ]


def over_sockets(port: int) -> list[Figure]:
    def ours(links: int, callers: int, each: int) -> Callable[[], float]:
        return lambda: asyncio.run(our_commands(port, links, callers, each))

    def theirs(links: int, callers: int, each: int, limit: int = 0) -> Callable[[], float]:
        return lambda: green_commands(port, links, callers, each, limit)

    at_once, green_at_once, limited = in_turns(ours(1, CALLS, 200), theirs(1, CALLS, 200), theirs(1, CALLS, 200, 10))
    alone = in_turns(ours(1, 1, 5000), theirs(1, 1, 5000))
    apart = in_turns(ours(CALLS, CALLS, 100), theirs(CALLS, CALLS, 100))
    fenced = asyncio.run(our_commands(port, 1, CALLS, 50, "greenswitch"))
    return [
        *compared("", at_once, green_at_once),
        figure("commands_per_s_greenswitch_with_time_limit", limited, "1/s"),
        figure("commands_ratio_to_greenswitch_with_time_limit", at_once / limited, "x"),
        *compared("one_after_another", *alone),
        *compared("100_connections", *apart),
        figure("commands_per_s_fenced_greenswitch", fenced, "1/s"),
    ]


# --- applications: a command, its reply and the event that tells the end

GREEN_APPLICATIONS = """
    import sys, threading, time, gevent
    from greenswitch.esl import OutboundSession
    import gevent.server
    calls, each = map(int, sys.argv[1:])
    sessions = []
    arrived = gevent.event.Event()

    def handle(sock, address):
        session = OutboundSession(address, sock)
        session.connect()
        session.linger()
        session.myevents()
        sessions.append(session)
        if len(sessions) == calls:
            arrived.set()
        session._receive_events_greenlet.join()

    def work(session):
        for _ in range(each):
            session.call_command("set", "a=b", block=True)

    from tests.bench.esl_peers import peer
    server = gevent.server.StreamServer(("127.0.0.1", 0), handle, backlog=512)
    server.start()
    with peer() as far:
        far.call("127.0.0.1", server.server_port, calls)
        arrived.wait()
        best = 0
        for _ in range(5):
            start = time.process_time()
            gevent.joinall([gevent.spawn(work, session) for session in sessions])
            best = max(best, calls * each / (time.process_time() - start))
    print(best)
"""


async def our_applications(far: Peer, calls: int, each: int) -> float:
    sessions: asyncio.Queue[esl.Session] = asyncio.Queue()

    async def handler(session: esl.Session) -> None:
        sessions.put_nowait(session)
        await session.wait_ended()

    async def work(session: esl.Session) -> None:
        for _ in range(each):
            await session.execute("set", "a=b")

    rates = []
    async with esl.Server(handler, port=0) as server:
        far.call(*await server.start(), calls)
        arrived = [await sessions.get() for _ in range(calls)]
        for _ in range(ROUNDS):
            start = time.process_time()
            await asyncio.gather(*map(work, arrived))
            rates.append(calls * each / (time.process_time() - start))
    return max(rates)


def application_figures(far: Peer) -> list[Figure]:
    ours, theirs = in_turns(
        lambda: asyncio.run(our_applications(far, CALLS, 20)), lambda: green(GREEN_APPLICATIONS, str(CALLS), "20")
    )
    return [
        figure("applications_per_s", ours, "1/s"),
        figure("applications_per_s_greenswitch", theirs, "1/s"),
        figure("applications_ratio_to_greenswitch", ours / theirs, "x"),
    ]


# --- the protocol alone

GREEN_PAIRING = """
    import io, sys, time, gevent, gevent.event
    from greenswitch.esl import ESLProtocol
    stream = open(sys.argv[1], "rb").read()
    count = int(sys.argv[2])

    class Nowhere:
        def send(self, data):
            return len(data)

    class Reader(ESLProtocol):
        def __init__(self):
            super().__init__()
            self.sock, self.sock_file, self.connected = Nowhere(), io.BytesIO(stream), True

        def say(self, data):  # the first half of ESLProtocol.send
            waiting = gevent.event.AsyncResult()
            self._commands_sent.append(waiting)
            self.sock.send((data + self._EOL * 2).encode("utf-8"))

    best = 0
    for _ in range(5):
        reader = Reader()
        start = time.process_time()
        for _ in range(count):
            reader.say("api uuid_exists 7")
        reader.receive_events()
        assert not reader._commands_sent
        best = max(best, count / (time.process_time() - start))
    print(best)
"""


def protocol_figures(folder: Path) -> list[Figure]:
    """Commands to bytes and replies to commands, without a socket, on the same bytes."""
    count = 10_000
    replies = encode_response("+OK\n") * count
    (folder / "replies.bin").write_bytes(replies)
    theirs = green(GREEN_PAIRING, str(folder / "replies.bin"), str(count))
    ours = best_of(5, lambda: paired(replies, count))
    return compared("protocol_alone", ours, theirs)


def paired(replies: bytes, count: int) -> int:
    connection = Connection(Role.INBOUND)
    connection.feed(GREETING)
    list(connection.messages())
    connection.send(commands.auth("x"))
    connection.feed(encode_reply("+OK accepted"))
    list(connection.messages())
    for _ in range(count):
        connection.send(commands.api("uuid_exists 7"))
    connection.feed(replies)
    assert sum(1 for _ in connection.messages()) == count
    return count


def command_figures(folder: Path) -> list[Figure]:
    """All of them."""
    with peer() as far:
        return over_sockets(far.port) + application_figures(far) + protocol_figures(folder)

"""Figures with a real FreeSWITCH: churn, echo, barge-in, load.  Adds to ``bench-results/esl.json``.

``python -m tests.bench.bench_freeswitch [--churn 10000] [--calls 100] [--seconds 20]``; needs the
FreeSWITCH that ``FREESWITCH`` or the PATH names.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from agi_bot.audio import FRAME_MS, Frame, rms_dbfs
from agi_bot.contracts import Call
from agi_bot.demo.freeswitch import OwnFreeSwitch, find_binary
from agi_bot.demo.phone import PhoneCall, Softphone
from agi_bot.errors import CallGone
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx
from esl import BACKENDS, Client, Server, Session, backend
from tests.bench.against_green import figure
from tests.bench.results import Figure, save
from tests.contracts.freeswitch_world import DIALPLANS
from tests.integration.freeswitch.stage import bot, closed_port

TICKS = os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of a process, MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def channels(client: Client) -> int:
    return int((await client.api("show channels count")).split()[0])


# --- churn


async def churn(own: OwnFreeSwitch, count: int, at_once: int = 40) -> list[Figure]:
    """Callers who hang up at a random moment, most of them while the call is set up."""
    chance = random.Random(7)
    assert own.process is not None
    pid = own.process.pid
    memory: list[float] = []
    placed = 0
    gate = asyncio.Semaphore(at_once)
    async with bot() as living, own.client() as client:
        await client.api(f"global_setvar agi_bot_port={living.port}")
        counting = asyncio.create_task(living.count())

        async def one(number: int) -> None:
            async with gate:
                tag = f"churn-{number}"
                await client.bgapi(f"originate {{origination_uuid={tag}}}loopback/bot/caller &park()")
                await asyncio.sleep(chance.choice((0.1, 0.4, 1.5)) * chance.random())
                await client.api(f"uuid_kill {tag}") if await _exists(client, tag) else None

        start = time.perf_counter()
        while placed < count and own.running:
            step = min(500, count - placed)
            await asyncio.gather(*(one(placed + number) for number in range(step)))
            placed += step
            memory.append(resident_mb(pid))
            passed = time.perf_counter() - start
            print(f"{placed} calls, {living.taken} with sound, {memory[-1]:.0f} MB, {passed:.0f} s", flush=True)
        left = await _left(client)
        counting.cancel()
        alive = own.running
    return [
        figure("churned_calls", placed, "calls"),
        figure("churned_calls_with_open_sound", living.taken, "calls"),
        figure("aborts", 0 if alive else 1, "times"),
        figure("channels_left_after_churn", left, "channels"),
        figure("memory_after_first_500_calls_mb", memory[0], "MB"),
        figure("memory_after_churn_mb", memory[-1], "MB"),
        figure("churn_calls_per_s", placed / (time.perf_counter() - start), "1/s"),
    ]


async def _exists(client: Client, tag: str) -> bool:
    return (await client.api(f"uuid_exists {tag}")).strip() == "true"


async def _left(client: Client) -> int:
    for _ in range(200):
        if not await channels(client):
            return 0
        await asyncio.sleep(0.1)
    return await channels(client)


# --- sound


async def echo_back(call: Call) -> None:
    """Give every frame back as it comes."""

    async def frames() -> AsyncIterator[Frame]:
        async for item in call.frames():
            if isinstance(item, Frame):
                yield item

    try:
        await call.play(frames())
    except CallGone:
        return


def click() -> Frame:
    samples = (12000 * np.sin(2 * np.pi * 1000 * np.arange(160) / 8000)).astype("<i2")
    return Frame(samples.tobytes())


async def first_loud(call: PhoneCall, since: float, seconds: float = 2.0) -> float | None:
    """When the first loud packet arrived after ``since``, s of the loop's clock."""
    with call.line.watch() as packets:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    heard = await packets.get()
                    if heard.at > since and rms_dbfs(Frame(heard.samples.tobytes())) > -35:
                        return heard.at
        except TimeoutError:
            return None


async def sound(own: OwnFreeSwitch, pbx: FreeSwitchPbx, rounds: int) -> list[Figure]:
    """Echo latency (mouth to ear) and how soon the line is silent after a barge-in."""
    async with Softphone() as phone:
        talking, call = await together(own, pbx, phone)
        echoes = await echo_times(talking, call, rounds)
        await talking.hang_up()
        talking, call = await together(own, pbx, phone)
        stops = await stop_times(talking, call, rounds)
        await talking.hang_up()
    return [
        figure("echo_ms_p50", statistics.median(echoes), "ms"),
        figure("echo_ms_p95", percentile(echoes, 95), "ms"),
        figure("barge_in_ms_p50", statistics.median(stops), "ms"),
        figure("barge_in_ms_p95", percentile(stops, 95), "ms"),
    ]


async def together(own: OwnFreeSwitch, pbx: FreeSwitchPbx, phone: Softphone) -> tuple[PhoneCall, Call]:
    talking = await phone.call("bot", own.ports.sip)
    call = await asyncio.wait_for(anext(aiter(pbx.calls())), 5)
    return talking, call


async def echo_times(talking: PhoneCall, call: Call, rounds: int) -> list[float]:
    echoing = asyncio.create_task(echo_back(call))
    times = []
    for _ in range(rounds):
        await asyncio.sleep(0.25)
        since = asyncio.get_running_loop().time()
        heard = asyncio.create_task(first_loud(talking, since))
        began, _ = await talking.line.play(click())
        if (at := await heard) is not None:
            times.append((at - began) * 1000)
    echoing.cancel()
    return times


async def stop_times(talking: PhoneCall, call: Call, rounds: int) -> list[float]:
    """From the order to be silent to the end of the last packet that was not, at the caller's ear."""
    loud = Frame(click().pcm)

    async def noise() -> AsyncIterator[Frame]:
        while True:
            yield loud

    times = []
    for number in range(rounds):
        playing = asyncio.create_task(call.play(noise()))
        # Not in step with the line, which ticks every 20 ms.
        await asyncio.sleep(0.4 + 0.001 * (7 * number % 20))
        cut = asyncio.get_running_loop().time()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await asyncio.sleep(0.3)
        audible = [heard.at for heard in talking.line.heard if rms_dbfs(Frame(heard.samples.tobytes())) > -35]
        times.append(max(0.0, (audible[-1] + FRAME_MS / 1000 - cut) * 1000))
    return times


# --- load


async def load(own: OwnFreeSwitch, pbx: FreeSwitchPbx, calls: int, seconds: float) -> list[Figure]:
    """``calls`` echo calls at once: processor time of both, gaps between datagrams."""
    assert own.process is not None
    gaps: list[float] = []
    async with own.client() as client:
        await client.api(f"global_setvar agi_bot_port={pbx.port}")
        for number in range(calls):
            await client.bgapi(f"originate {{origination_uuid=load-{number}}}loopback/bot/caller &park()")
        arrived = [await asyncio.wait_for(anext(aiter(pbx.calls())), 20) for _ in range(calls)]
        tasks = [asyncio.create_task(_timed_echo(call, gaps)) for call in arrived]
        await asyncio.sleep(2)
        gaps.clear()
        before = cpu_s(own.process.pid), time.process_time()
        await asyncio.sleep(seconds)
        after = cpu_s(own.process.pid), time.process_time()
        failed = sum(task.done() for task in tasks)
        measured = list(gaps)
        await client.api("hupall")
        await asyncio.gather(*tasks)
    return [
        figure("load_calls", calls, "calls"),
        figure("load_failed", failed, "calls"),
        figure("load_cpu_freeswitch", (after[0] - before[0]) / seconds * 100, "% of a core"),
        figure("load_cpu_bot", (after[1] - before[1]) / seconds * 100, "% of a core"),
        figure("load_gap_ms_p50", percentile(measured, 50), "ms"),
        figure("load_gap_ms_p99", percentile(measured, 99), "ms"),
    ]


async def _timed_echo(call: Call, gaps: list[float]) -> None:
    loop = asyncio.get_running_loop()
    last = 0.0

    async def frames() -> AsyncIterator[Frame]:
        nonlocal last
        async for item in call.frames():
            now = loop.time()
            if last:
                gaps.append((now - last) * 1000)
            last = now
            if isinstance(item, Frame):
                yield item

    try:
        await call.play(frames())
    except CallGone:
        return


GREEN_APP = """
    from greenswitch.esl import OutboundESLServer

    class App:
        def __init__(self, session):
            self.session = session

        def run(self):
            self.session.answer()
            self.session.myevents()
            import gevent
            gevent.sleep(0.2)
            self.session.hangup()

    import sys
    print("ready", flush=True)
    OutboundESLServer("127.0.0.1", int(sys.argv[1]), App, 100).listen()
"""


async def answer_times(own: OwnFreeSwitch, port: int, rounds: int) -> list[float]:
    """From the caller's INVITE to the answer, which the application gives as its first act, ms."""
    times = []
    loop = asyncio.get_running_loop()
    async with Softphone() as phone:
        for number in range(rounds):
            # Not in step with a server that looks for calls every 100 ms.
            await asyncio.sleep(0.1 + 0.037 * (number % 7))
            began = loop.time()
            call = await phone.call(f"bot_{port}", own.ports.sip)
            times.append((loop.time() - began) * 1000)
            await call.hang_up()
    return times


async def connecting(own: OwnFreeSwitch, rounds: int) -> list[Figure]:
    """How long a caller waits for the application, ours and plain greenswitch."""

    async def handler(session: Session) -> None:
        await session.start("answer")
        await session.wait_ended()

    by: dict[str, list[float]] = {}
    for name in BACKENDS:
        server = Server(handler, port=0, transport=backend(name))
        _, port = await server.start()
        by[name] = await answer_times(own, port, rounds)
        await server.close()
    ours, theirs = by["native"], await green_answer_times(own, rounds)
    return [
        figure("connect_ms_p50_fenced_greenswitch", statistics.median(by["greenswitch"]), "ms"),
        figure("connect_ms_p50", statistics.median(ours), "ms"),
        figure("connect_ms_p95", percentile(ours, 95), "ms"),
        figure("connect_ms_p50_greenswitch", statistics.median(theirs), "ms"),
        figure("connect_ms_p95_greenswitch", percentile(theirs, 95), "ms"),
    ]


async def green_answer_times(own: OwnFreeSwitch, rounds: int) -> list[float]:
    port = closed_port()
    script = textwrap.dedent(GREEN_APP)
    app = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(port), stdout=asyncio.subprocess.PIPE)
    try:
        assert app.stdout is not None
        await app.stdout.readline()
        await asyncio.sleep(0.5)
        return await answer_times(own, port, rounds)
    finally:
        app.kill()
        await app.wait()


def percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, share)) if values else 0.0


async def run(binary: Path, arguments: argparse.Namespace) -> tuple[list[Figure], str]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        own = OwnFreeSwitch(binary, Path(folder), dialplans=DIALPLANS)
        await own.start()
        try:
            async with own.client() as client:
                version = (await client.api("version short")).strip()
            options = FreeSwitchOptions(port=0, esl_port=own.ports.esl, esl_password=own.password)
            pbx = FreeSwitchPbx(options)
            await pbx.start()
            async with own.client() as client:
                await client.api(f"global_setvar agi_bot_port={pbx.port}")
            figures += await connecting(own, 30)
            figures += await sound(own, pbx, arguments.rounds)
            if arguments.calls:
                figures += await load(own, pbx, arguments.calls, arguments.seconds)
            await pbx.close()
            if arguments.churn:
                figures += await churn(own, arguments.churn)
        finally:
            await own.stop()
    return figures, version


def main() -> None:
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--churn", type=int, default=10_000, help="calls that are set up and cut off")
    parser.add_argument("--calls", type=int, default=100, help="simultaneous echo calls")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the load lasts")
    parser.add_argument("--rounds", type=int, default=40, help="echoes and barge-ins")
    arguments = parser.parse_args()
    binary = find_binary()
    if binary is None:
        print("not measured: no FreeSWITCH (neither FREESWITCH nor the PATH names one)")
        return
    figures, version = asyncio.run(run(binary, arguments))
    save("esl.json", figures, ("greenswitch",), (f"FreeSWITCH {version}",))


if __name__ == "__main__":
    main()

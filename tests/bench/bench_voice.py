"""How soon a voice speaks, and what that costs.

``python -m tests.bench.bench_voice [--coqui MODEL_FOLDER] [--onnx EXPORT_FOLDER]`` writes ``bench-results/voice.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from agi_bot.audio import Frame
from agi_bot.demo.provision import provide
from agi_bot.speech.coqui.onnx import OnnxVoice
from agi_bot.speech.coqui.voice import LIMITS, CoquiVoice, coqui_pool
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.line import active_level, to_wave
from agi_bot.speech.prompts import CachedVoice, Part
from agi_bot.speech.streaming import speak_stream
from agi_bot.speech.worker.voice import WorkerVoice
from agi_bot.spoken import speakable
from tests.bench.killed_voice import misfortune
from tests.bench.results import Figure, save

ROUNDS = 60
STATIC = "您好，这里是市一医院，本次通话会被录音。您能按时来吗？"
NAMES = ("张伟", "李娜", "王芳", "刘洋", "陈静")
FREE = "您尾号为1234的储蓄卡11月21日15时30分支出2000.00元，余额5,123.45元。"


async def first_ms(frames: AsyncIterator[Frame]) -> float:
    """Milliseconds until the first frame; the rest is heard to its end."""
    start, first = time.perf_counter(), 0.0
    async for _ in frames:
        first = first or (time.perf_counter() - start) * 1000
    return first


def percentiles(name: str, values: list[float]) -> list[Figure]:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return [
        Figure(f"{name}_p50_ms", round(statistics.median(values), 2), "ms"),
        Figure(f"{name}_p95_ms", round(p95, 2), "ms"),
    ]


async def first_frames(voice: WorkerVoice, name: str) -> list[Figure]:
    """Not cached, cached in memory, cached on disk, and a prompt with a name in it."""
    await first_ms(voice.speak("热身。"))
    with tempfile.TemporaryDirectory() as folder:
        cached = CachedVoice(voice, Path(folder))
        await cached.render([STATIC])
        await cached.render([mixed("某")])
        rounds = ROUNDS if name == "espeak" else ROUNDS // 6
        plain = [await first_ms(voice.speak(STATIC)) for _ in range(rounds)]
        memory = [await first_ms(cached.speak(STATIC)) for _ in range(ROUNDS)]
        disk = [await first_ms(CachedVoice(voice, Path(folder)).speak(STATIC)) for _ in range(ROUNDS)]
        dynamic = [await first_ms(cached.speak_parts(mixed(f"{NAMES[n % 5]}{n}"))) for n in range(ROUNDS)]
    return [
        *percentiles(f"{name}_first_frame_not_cached", plain),
        *percentiles(f"{name}_first_frame_cached_in_memory", memory),
        *percentiles(f"{name}_first_frame_cached_on_disk", disk),
        *percentiles(f"{name}_first_frame_with_a_name_in_it", dynamic),
    ]


def mixed(name: str) -> list[Part]:
    return [Part("您好，"), Part(name, fixed=False), Part("，这里是市一医院，本次通话会被录音。您能按时来吗？")]


async def throughput(voice: WorkerVoice, name: str, sentences: int) -> list[Figure]:
    """Sentences a second in one worker, and seconds of work for a second of speech."""
    texts = [f"您好，{NAMES[n % 5]}，您预约了第{n}号的复诊，请空腹前来。" for n in range(sentences)]
    start, before = time.perf_counter(), cpu_s(voice)
    sounds = [sum([frame.ms async for frame in voice.speak(text)]) for text in texts]
    wall, cpu = time.perf_counter() - start, cpu_s(voice) - before
    return [
        Figure(f"{name}_renders_a_second", round(sentences / wall, 1), "1/s"),
        Figure(f"{name}_real_time_factor_cpu", round(cpu / (sum(sounds) / 1000), 5), ""),
        Figure(f"{name}_worker_memory", worker_mb(voice), "MB"),
    ]


async def many_at_once(voice: WorkerVoice, name: str, calls: int) -> list[Figure]:
    """First frame when ``calls`` calls ask in the same moment."""
    values = await asyncio.gather(*(first_ms(voice.speak(f"第{n}位，{STATIC}")) for n in range(calls)))
    return percentiles(f"{name}_first_frame_{calls}_calls_at_once", values)


async def seams(voice: WorkerVoice, name: str) -> list[Figure]:
    """What a joint between a fixed and a variable unit is like: steps of level, and clicks."""
    cached = CachedVoice(voice, None)
    levels, edges = [], []
    for person in NAMES:
        sounds: dict[int, bytes] = {}
        async for index, frame in cached.speak_planned(cached.plan(mixed(person))):
            sounds[index] = sounds.get(index, b"") + frame.pcm
        waves = [to_wave(Frame(pcm)) for pcm in sounds.values()]
        levels += [active_level(wave, 8000) for wave in waves]
        edges += [float(max(abs(wave[0]), abs(wave[-1]))) for wave in waves]
    loudest = 20 * math.log10(max(*edges, 1e-6))
    return [
        Figure(f"{name}_seam_level_spread", round(max(levels) - min(levels), 2), "dB"),
        Figure(f"{name}_seam_loudest_edge", round(loudest, 1), "dBFS"),
    ]


async def written(text: str, rate: float) -> AsyncIterator[str]:
    """``text`` at ``rate`` characters a second, as a language model writes it."""
    for char in text:
        await asyncio.sleep(1 / rate)
        yield char


async def streamed(voice: WorkerVoice, name: str) -> list[Figure]:
    """First frame after the first sentence of a text that is still being written was complete."""
    first = STATIC.index("。") + 2
    values = []
    for _ in range(10):
        ms = await first_ms(speak_stream(voice, written(STATIC, 100.0)))
        values.append(ms - first * 10)
    return percentiles(f"{name}_first_frame_after_a_streamed_sentence", values)


async def restart(voice: WorkerVoice, name: str) -> list[Figure]:
    """First frame when the worker was killed just before."""
    values = []
    for _ in range(5):
        await first_ms(voice.speak(STATIC))
        os.kill(voice._pool.pids[0], 9)
        values.append(await first_ms(voice.speak(STATIC)))
    return [Figure(f"{name}_first_frame_after_a_kill_median_ms", round(statistics.median(values), 1), "ms")]


def cpu_s(voice: WorkerVoice) -> float:
    """CPU seconds of ourselves and the worker."""
    ticks = sum(map(int, Path(f"/proc/{voice._pool.pids[0]}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def worker_mb(voice: WorkerVoice) -> float:
    pages = int(Path(f"/proc/{voice._pool.pids[0]}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def words_us() -> Figure:
    """Time to turn a text of dates and amounts into words."""
    start = time.process_time()
    for _ in range(500):
        speakable(FREE, "zh-CN")
    return Figure("text_to_words_us", round((time.process_time() - start) / 500 * 1e6), "us")


async def measure(make: Callable[[], WorkerVoice], name: str, sentences: int) -> list[Figure]:
    voice = make()
    start = time.perf_counter()
    await voice.start()
    figures = [Figure(f"{name}_start_ms", round((time.perf_counter() - start) * 1000, 1), "ms")]
    try:
        figures += await first_frames(voice, name)
        figures += await throughput(voice, name, sentences)
        figures += await many_at_once(voice, name, 50 if sentences > 100 else 5)
        figures += await seams(voice, name)
        figures += await streamed(voice, name)
        figures += await restart(voice, name)
    finally:
        await voice.close()
    return figures


def worker_kill(entry: Mapping[str, object], name: str) -> list[Figure]:
    """The longest silence that callers on a real Asterisk hear when a voice's process is killed in mid-sentence."""
    found = {}
    for case, workers, kill in (("undisturbed", 1, False), ("1_worker", 1, True), ("2_workers", 2, True)):
        with tempfile.TemporaryDirectory(prefix="agi-bot-bench-") as folder:
            calls = misfortune(provide(print), Path(folder), entry, workers=workers, heard_ms=60, kill=kill)
            found[case] = asyncio.run(calls)
    return [
        Figure(f"worker_kill_coqui_{name}_{case}_{who}_longest_silence_ms", heard.gap_ms, "ms")
        for case, had in found.items()
        for who, heard in (("own", had.own), ("others", had.other))
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--coqui", type=Path, help="folder of a Coqui model")
    parser.add_argument("--onnx", type=Path, help="folder of an exported model")
    asked = parser.parse_args()
    figures = [words_us(), *asyncio.run(measure(EspeakVoice, "espeak", 300))]
    if asked.coqui:
        model: Path = asked.coqui
        pool = coqui_pool(model, limits=replace(LIMITS, patience_s=60))  # a restart is measured, not given up
        figures += asyncio.run(measure(lambda: CoquiVoice(model, pool=pool), f"coqui_{model.name}", 10))
        figures += worker_kill({"engine": "coqui", "model": model.resolve()}, model.name)
    if asked.onnx:
        exported: Path = asked.onnx
        figures += asyncio.run(measure(lambda: OnnxVoice(exported), f"onnx_{exported.name}", 10))
    save("voice.json", figures, packages=("numpy", "soxr", "espeakng-loader"))


if __name__ == "__main__":
    main()

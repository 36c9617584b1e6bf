"""What voice activity costs and how late it is.

``python -m tests.bench.bench_vad [--speech DIR]`` writes ``bench-results/hearing.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

import numpy as np

from agi_bot.audio import LINE_RATE, Frame, split
from agi_bot.speech.echo import EchoGuard
from agi_bot.speech.signals import LineSignals
from agi_bot.speech.vad import EnergyModel, VadBatcher, VadModel, find_model
from agi_bot.speech.vad.model import CONTEXT, WINDOW
from tests.bench.results import Figure, save
from tests.bench.speech import Floats, Speech, given_folder, load, on_the_line

ROUNDS = 300


def cost(model: VadModel, batch: int) -> float:
    """CPU time of one window in a batch, us."""
    windows = np.random.default_rng(1).normal(0, 0.1, (batch, CONTEXT + WINDOW)).astype(np.float32)
    states = np.stack([model.fresh()] * batch)
    model.probabilities(windows, states)
    start = time.process_time()
    for _ in range(ROUNDS):
        model.probabilities(windows, states)
    return (time.process_time() - start) / ROUNDS / batch * 1e6


def cost_per_frame() -> list[Figure]:
    """CPU time of what looks at every 20 ms frame, us."""
    noise = np.random.default_rng(1).normal(0, 3000, LINE_RATE * 10).astype("<i2").tobytes()
    frames = list(split(Frame(noise)))
    signals, guard = LineSignals(), EchoGuard()

    def both(frame: Frame) -> None:
        guard.outgoing(frame)
        guard.incoming(frame)

    figures = []
    for name, work in (("line_signals_us_a_frame", signals.push), ("echo_guard_us_a_frame", both)):
        start = time.process_time()
        for frame in frames:
            work(frame)
        figures.append(Figure(name, round((time.process_time() - start) / len(frames) * 1e6, 1), "us"))
    return figures


async def heard(model: VadModel, samples: Floats, noise_db: float | None) -> tuple[float | None, float]:
    """When speech was noticed, and its last sound as the detector has it, ms."""
    pad = np.zeros(LINE_RATE)
    stream = VadBatcher(model).stream()
    noticed, last = None, 0.0
    sound = on_the_line(np.concatenate([pad, samples, pad]), noise_db=noise_db)
    for index, frame in enumerate(split(sound)):
        segment = await stream.hear(frame)
        if segment.speech:
            noticed = noticed if noticed is not None else (index + 1) * 20 - 1000
            last = segment.to_ms - 1000
    return noticed, last


def delays(model: VadModel, speech: list[Speech], noise_db: float | None, label: str) -> list[Figure]:
    """How late onset and end are noticed, against the speech's own edges."""
    found = [(each, *asyncio.run(heard(model, each.samples, noise_db))) for each in speech]
    onsets = [noticed for _, noticed, _ in found if noticed is not None]
    ends = [last - each.ms for each, noticed, last in found if noticed is not None]
    missed = sum(noticed is None for _, noticed, _ in found) / len(found)
    return [
        Figure(f"vad_onset_delay_ms_p50_{label}", float(np.percentile(onsets, 50)), "ms"),
        Figure(f"vad_onset_delay_ms_p95_{label}", float(np.percentile(onsets, 95)), "ms"),
        Figure(f"vad_end_error_ms_p5_{label}", round(float(np.percentile(ends, 5)), 1), "ms"),
        Figure(f"vad_end_error_ms_p50_{label}", round(float(np.percentile(ends, 50)), 1), "ms"),
        Figure(f"vad_end_error_ms_p95_{label}", round(float(np.percentile(ends, 95)), 1), "ms"),
        Figure(f"vad_missed_share_{label}", round(missed, 4), "share"),
    ]


def false_alarms(model: VadModel) -> list[Figure]:
    """Share of frames called speech in sound that is none."""
    times = np.arange(LINE_RATE * 10) / LINE_RATE
    sounds = {
        "white_noise": np.random.default_rng(2).normal(0, 2000, len(times)),
        "ringback": 8000 * np.sin(2 * np.pi * 450 * times),
        "fax": 8000 * np.sin(2 * np.pi * 1100 * times),
    }
    return [
        Figure(f"vad_{model.name}_speech_share_in_{name}", asyncio.run(_share(model, sound)), "share")
        for name, sound in sounds.items()
    ]


async def _share(model: VadModel, sound: Floats) -> float:
    stream = VadBatcher(model).stream()
    found = [(await stream.hear(frame)).speech for frame in split(on_the_line(sound))]
    return round(float(np.mean(found)), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, default=given_folder())
    parser.add_argument("--count", type=int, default=150, help="utterances drawn from the given speech")
    options = parser.parse_args()
    model, finding = find_model()
    if finding:
        raise SystemExit(finding)
    speech = load(options.speech, count=options.count)
    figures = [
        Figure(f"vad_us_a_window_batch_{batch}", round(cost(model, batch), 1), "us") for batch in (1, 8, 32, 128)
    ]
    figures += cost_per_frame()
    for label, noise_db in (("clean", None), ("20db", 20.0), ("10db", 10.0)):
        figures += delays(model, speech, noise_db, label)
    figures += false_alarms(model) + false_alarms(EnergyModel())
    voices = "given speech" if options.speech else "espeak-ng speech"
    save(
        "hearing.json", figures, ("onnxruntime", "silero-vad"), (f"voice activity: {len(speech)} utterances, {voices}",)
    )


if __name__ == "__main__":
    main()

"""Whole calls that a core holds: ``python -m tests.bench.load`` (``make load N=..``).

With ``--vosk-server PATH/asr_server.py`` (or VOSK_SERVER) the same for vosk-server, beside
it.  ``--vosk-python`` (or VOSK_SERVER_PYTHON) names a Python with vosk and websockets<14,
which that script needs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from agi_bot.shipped import shipped
from tests.bench import speech as given_speech
from tests.bench.load import ours, peer, sounds
from tests.bench.results import FOLDER, Figure, save


def main() -> None:
    options = _options()
    models = {language: Path(path) for language, _, path in (each.partition("=") for each in options.model)}
    plan = ours.Plan(
        tuple(range(options.cores)),
        options.most,
        options.seconds,
        models,
        tuple(options.only),
        options.first,
    )
    with tempfile.TemporaryDirectory(prefix="agi-bot-load-") as folder:
        material = Path(folder) / "sounds.pickle"
        sounds.save(sounds.make(given_speech.load(options.speech) if options.speech else []), material)
        (FOLDER / "load.json").unlink(missing_ok=True)
        load = ours.measure(plan, material)
        figures = [*ours.figures(load, plan)]
        save("load.json", figures, ("vosk", "onnxruntime"), NOTES)
        if not options.vosk_server:
            print("vosk-server: not compared, because --vosk-server (or VOSK_SERVER) names no asr_server.py")
            return
        model = models.get("zh-CN", shipped("models", "demo"))
        other = peer.Peer(options.vosk_server, options.vosk_python, model)
        pauses = [
            pause for step in [load.base, *load.steps] if step.calls <= max(1, load.calls) for pause in step.pauses
        ]
        beside = peer.measure(other, plan, material, pauses)
    save("load.json", _compared(load, beside), ("websockets",), NOTES)


NOTES = (
    "load: the bot on its own cores, the callers on the others; FastAGI and AudioSocket without an Asterisk",
    "load: vosk-server hears the same answers and pauses, in pieces of 200 ms; it neither understands nor speaks",
)


def _compared(load: ours.Load, beside: ours.Load) -> list[Figure]:
    figures = [
        Figure("vosk_server_streams", beside.calls, "streams"),
        Figure("vosk_server_streams_upto", beside.most.upto, "streams"),
    ]
    for outcome in [beside.base, *beside.steps]:
        figures += [
            Figure(f"vosk_server_final_ms_p95_{outcome.calls}_streams", round(outcome.percentile(95), 1), "ms"),
            Figure(f"vosk_server_cores_used_{outcome.calls}_streams", round(sum(outcome.cores.values()), 3), "cores"),
        ]
    if beside.calls:
        figures += [
            Figure("calls_ratio_to_vosk_server", round(load.calls / beside.calls, 2), "x"),
            Figure("calls_ratio_to_vosk_server_from", round(load.calls / beside.most.upto, 2), "x"),
            Figure("calls_ratio_to_vosk_server_upto", round(load.most.upto / beside.calls, 2), "x"),
        ]
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=120, help="never more calls than this")
    parser.add_argument("--first", type=int, default=ours.FIRST, help="calls of the first step")
    parser.add_argument("--only", type=int, action="append", default=[], help="so many calls, no search; repeatable")
    parser.add_argument("--cores", type=int, default=1, help="cores that the bot gets")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each step, at least")
    parser.add_argument("--model", action="append", default=[], help="zh-CN=folder; repeatable")
    parser.add_argument("--speech", type=Path, default=None, help="folder with speech.tsv")
    named = os.environ.get("VOSK_SERVER", "")
    parser.add_argument("--vosk-server", type=Path, default=Path(named) if named else None)
    parser.add_argument("--vosk-python", default=os.environ.get("VOSK_SERVER_PYTHON") or sys.executable)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Measures the masking on the set of :mod:`tests.bench.make_masking_set` (made in its own process).

``masking_recall``: share of the secret characters' numbers that are masked whole, in every
utterance.  ``masking_false_share``: share of the harmless utterances (those without a
secret) in which anything was masked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from agi_bot.privacy.masking import Masked, Masker
from tests.bench.results import Figure, save

CALLS = 40_000
SHOWN = 15


def main() -> None:
    """Make the set, mask it, print what went wrong, save the figures."""
    with tempfile.TemporaryDirectory(prefix="agi-bot-masking-") as folder:
        file = Path(folder) / "set.jsonl"
        seed = sys.argv[1] if len(sys.argv) > 1 else "7"
        made = [sys.executable, "-m", "tests.bench.make_masking_set", str(file), str(CALLS), seed]
        subprocess.run(made, check=True)
        calls = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    began = time.perf_counter()
    found = [hidden(call["turns"]) for call in calls]
    took = time.perf_counter() - began
    report(calls, found, took)


def hidden(turns: list[str]) -> list[Masked]:
    """The caller's utterances masked; the bot's stand between them."""
    masker = Masker()
    for bot, caller in zip(turns[::2], turns[1::2], strict=True):
        masker.hear(caller, bot)
    return masker.finish()


def report(calls: list[dict[str, Any]], found: list[list[Masked]], took: float) -> None:
    """Count, show what went wrong, save."""
    counts: Counter[str] = Counter()
    shown = 0
    for call, utterances in zip(calls, found, strict=True):
        for text, secret, masked in zip(call["turns"][1::2], call["secret"][1::2], utterances, strict=True):
            kind = judge(text, secret, masked)
            counts[kind] += 1
            if kind in ("leaked", "false") and shown < SHOWN:
                shown += 1
                print(f"{kind} ({call['form']}): {text} -> {masked.text}")
    secrets, harmless = counts["hidden"] + counts["leaked"], counts["kept"] + counts["false"]
    characters = sum(len(text) for call in calls for text in call["turns"])
    print(dict(counts))
    save(
        "campaign.json",
        [
            Figure("masking_recall", round(counts["hidden"] / secrets, 6), "share"),
            Figure("masking_false_share", round(counts["false"] / harmless, 6), "share"),
            Figure("masking_utterances_with_a_number", secrets, "utterances"),
            Figure("masking_utterances_without", harmless, "utterances"),
            Figure("masking_per_1000_characters", round(took / characters * 1e6, 3), "ms"),
        ],
        notes=("masking: generated text, Mandarin and English, written and spoken forms; no human speech",),
    )


def judge(text: str, secret: list[list[int]], masked: Masked) -> str:
    """``hidden`` or ``leaked`` for an utterance with a number, ``kept`` or ``false`` for one without."""
    if not secret:
        return "false" if masked.text != text else "kept"
    covered = {place for one in masked.hidden for place in range(one.start, one.end)}
    whole = all(place in covered for start, end in secret for place in range(start, end))
    return "hidden" if whole else "leaked"


if __name__ == "__main__":
    main()

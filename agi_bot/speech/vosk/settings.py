"""What can be set about hearing with Vosk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class VoskSettings:
    """Limits of the recogniser.

    ``threads``: size of the thread pool, 0 for one a core.  ``chunk_ms``: sound is decoded
    in pieces of this length (a model computes 60 ms at a time anyway); ``crowd_chunk_ms`` once
    more than ``crowd_above`` calls are open: to hand a piece to a thread and back costs as much as
    to decode 30 ms of it.  The end of a turn does not wait for a full piece, and overtakes those of others.
    ``reject_below``: an utterance whose mean word confidence, or of a short one the calibrated confidence, is
    lower becomes empty text.  ``drop_below``: a
    single word with less is left out.  ``unknown_share``: an utterance of which more than
    this share of time was ``[unk]`` becomes empty text.

    ``settle_ms``: silence of this length is decoded ahead of its time when the caller falls
    silent, because a network sees each sound only when it knows what followed.

    ``hints``: what is done with the phrases that a step expects.  ``ignore`` leaves the
    model's own language model alone.  ``again`` hears with it first, and what was heard
    unsurely once more with nothing but the phrases, or digits, that are waited for
    (:mod:`agi_bot.speech.vosk.second`).  ``prefer`` replaces it by a grammar of the hints (and,
    where the vocabulary is small, of all single words): better for callers who say just
    what is expected, much worse for all others (demo model, Mandarin at 20 dB noise: 88 % of
    utterances right become 92 % for the former and 37 % for the latter).
    ``hints_limit``: hints beyond this number are left out.
    """

    threads: int = 0
    chunk_ms: int = 60
    crowd_chunk_ms: int = 240
    crowd_above: int = 8
    settle_ms: int = 150
    reject_below: float = 0.5
    drop_below: float = 0.0
    unknown_share: float = 0.5
    hints: Literal["ignore", "again", "prefer"] = "again"
    hints_limit: int = 2000

    def piece_ms(self, ears: int) -> int:
        """Sound of one call that is decoded at a time while ``ears`` calls are open, ms."""
        return self.crowd_chunk_ms if ears > self.crowd_above else self.chunk_ms

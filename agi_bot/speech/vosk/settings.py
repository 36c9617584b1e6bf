"""What can be set about hearing with Vosk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoskSettings:
    """Limits of the recogniser.

    ``threads``: size of the thread pool, 0 for one a core.  ``chunk_ms``: sound is decoded
    in pieces of this length (a model computes 60 ms at a time anyway).  ``reject_below``:
    an utterance whose mean word confidence is lower becomes empty text.  ``drop_below``: a
    single word with less is left out.  ``unknown_share``: an utterance of which more than
    this share of time was ``[unk]`` becomes empty text.  ``phrases_limit``: hints beyond
    this number are ignored.  ``fence``: with a large-vocabulary model, hear nothing but the
    hints (otherwise its own language model stays whole and hints are not used).
    """

    threads: int = 0
    chunk_ms: int = 60
    reject_below: float = 0.5
    drop_below: float = 0.0
    unknown_share: float = 0.5
    phrases_limit: int = 2000
    fence: bool = False

"""Numbers silenced in a finished recording.

The file is written anew beside itself and then put in its place in one step
(:func:`os.replace`): whoever reads it sees the old one or the masked one, never a part.
The old sound is in no file after that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

from agi_bot.errors import StoreError
from agi_bot.privacy.masked_record import Silenced

BLOCK_S = 10
"""So much sound is held in memory at a time, s."""


def silence_spans(path: Path, spans: Sequence[Silenced]) -> None:
    """Make ``spans`` of the recording at ``path`` digital silence.

    Format, rate and length stay.  Opus and FLAC are decoded and encoded again.  Raises
    :class:`~agi_bot.errors.StoreError`; the file is then as it was.
    """
    if not spans:
        return
    beside = path.with_name(f".{path.stem.removeprefix('.')}.masking{path.suffix}")
    try:
        _rewrite(path, beside, spans)
        os.replace(beside, path)
    except (OSError, sf.SoundFileError) as error:
        beside.unlink(missing_ok=True)
        raise StoreError(
            f"numbers could not be silenced in the recording {path}: {error}",
            cure="check the folder's rights and the free space of its disk",
        ) from error


def _rewrite(path: Path, beside: Path, spans: Sequence[Silenced]) -> None:
    with sf.SoundFile(path) as source:
        form = (source.samplerate, source.channels, source.subtype)
        with sf.SoundFile(beside, "w", *form, format=source.format) as target:
            start = 0
            for block in source.blocks(BLOCK_S * source.samplerate, dtype="int16", always_2d=True):
                mute(block, spans, start, source.samplerate)
                target.write(block)
                start += len(block)


def mute(block: npt.NDArray[np.int16], spans: Sequence[Silenced], start: int, rate: int) -> None:
    """Silence in place what of ``spans`` lies in ``block``, whose first sample is number ``start``."""
    for span in spans:
        first = span.from_ms * rate // 1000 - start
        end = -(-span.to_ms * rate // 1000) - start
        if span.channel < block.shape[1]:
            block[max(0, first) : max(0, end), span.channel] = 0

from __future__ import annotations

import pytest

from agi_bot.speech.vosk.settings import VoskSettings


@pytest.mark.parametrize(("calls", "piece_ms"), [(1, 60), (8, 60), (9, 240), (24, 240), (25, 480), (200, 480)])
def test_the_more_calls_the_larger_are_the_pieces_that_are_decoded(calls: int, piece_ms: int) -> None:
    assert VoskSettings().piece_ms(calls) == piece_ms

from __future__ import annotations

import pytest

from agi_bot.speech.vosk.settings import VoskSettings


@pytest.mark.parametrize(("calls", "piece_ms"), [(1, 60), (8, 60), (9, 240), (200, 240)])
def test_among_many_calls_the_pieces_that_are_decoded_are_larger(calls: int, piece_ms: int) -> None:
    assert VoskSettings().piece_ms(calls) == piece_ms

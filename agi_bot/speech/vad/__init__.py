"""Is the caller speaking?  One inference for all calls' current windows.

:class:`VadBatcher` collects the 32 ms windows of all calls and asks the model once for all
of them; :class:`VoiceActivity` is one call's stream, with its echo guard;
:class:`Segmenter` turns probabilities into speech with an onset and an end.
"""

from agi_bot.speech.vad.activity import VoiceActivity
from agi_bot.speech.vad.batcher import VadBatcher
from agi_bot.speech.vad.model import EnergyModel, SileroModel, VadModel, find_model, silero_path
from agi_bot.speech.vad.segmenter import Segment, Segmenter, VadSettings

__all__ = [
    "EnergyModel",
    "Segment",
    "Segmenter",
    "SileroModel",
    "VadBatcher",
    "VadModel",
    "VadSettings",
    "VoiceActivity",
    "find_model",
    "silero_path",
]

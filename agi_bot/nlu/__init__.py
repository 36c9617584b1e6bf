"""Words in, intent and entities out: training data, the embedded interpreter, Rasa."""

from __future__ import annotations

from agi_bot.nlu.data import NluData
from agi_bot.nlu.embedded import EmbeddedInterpreter, load_embedded
from agi_bot.nlu.faults import BrokenData, Fault

__all__ = ["BrokenData", "EmbeddedInterpreter", "Fault", "NluData", "load_embedded"]

"""Public fakes for the tests of whoever builds on agi-bot, and an event loop whose time flies.

The fakes keep the promises of :mod:`agi_bot.contracts` (``tests/contracts`` holds them to
it); a test is the person at the other end and the exchange around the call.
"""

from agi_bot.testing.call import (
    FakeCall,
    FakePbx,
    FakeRinging,
    VirtualTimeLoop,
)
from agi_bot.testing.speech import FakeHearing, FakeRecognizer, hush, spoken
from agi_bot.testing.understanding import FakeInterpreter

__all__ = [
    "FakeCall",
    "FakeHearing",
    "FakeInterpreter",
    "FakePbx",
    "FakeRecognizer",
    "FakeRinging",
    "VirtualTimeLoop",
    "hush",
    "spoken",
]

"""What was heard, held against what is expected: words that sound alike become the expected ones.  Pure.

For models whose vocabulary cannot be narrowed or lacks a business's words; see ``docs/recognition.md``.
"""

from agi_bot.speech.bias.change import Change, changed
from agi_bot.speech.bias.correct import Lexicon
from agi_bot.speech.bias.digits import SPOKEN_DIGITS, digit_changes

__all__ = ["SPOKEN_DIGITS", "Change", "Lexicon", "changed", "digit_changes"]

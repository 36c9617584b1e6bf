"""The end of the bot's part: decided, spoken, and taken back where silence brought it and the caller is there."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from agi_bot.conversation.clock import Clock
from agi_bot.conversation.engines import Script
from agi_bot.conversation.journal import Journal
from agi_bot.flow.events import End, Transfer

LAST_WORDS_MS = 3000
"""Who is speaking when the bot has ended is heard out for so long before the line is given back."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was before an end: the dialogue, and how many tags the record had."""

    script: Script
    tags: int


class Ending:
    """The end of one call.  ``last`` is the dialogue's last word, once it was given."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self.last: End | Transfer | None = None
        self._journal = journal
        self._clock = clock
        self._before: Before | None = None
        self._by_ms = 0.0

    def now(self, script: Script) -> Before:
        """What is now, to be gone back to."""
        return Before(copy.deepcopy(script), len(self._journal.record.tags))

    def may_go_back(self, before: Before | None) -> None:
        """The end that follows may be taken back to ``before``; ``None``: it is final."""
        self._before = before

    @property
    def revocable(self) -> bool:
        """Whether the bot's part has ended, and the caller's voice takes that back."""
        return self._before is not None and isinstance(self.last, End)

    def close(self, last: End | Transfer) -> None:
        """The dialogue gave its last word."""
        self.last = last
        self.spoken()

    def spoken(self) -> None:
        """A prompt has been spoken to its end."""
        self._by_ms = self._clock.ms + LAST_WORDS_MS

    def reopen(self) -> None:
        """The end is void."""
        self.last = self._before = None
        self._journal.reopen()

    def take_back(self) -> Script | None:
        """The caller is there: the dialogue to go on with; ``None`` where there is no end, or it is final."""
        before = self._before
        if before is None or not self.revocable:
            return None
        self.reopen()
        del self._journal.record.tags[before.tags :]
        self._journal.note("the end was taken back: the caller is there after all")
        self._journal.count("ends_taken_back")
        return before.script

    def waits(self, *, speaking: bool, answered: bool) -> bool:
        """Whether the line is kept for a caller who is ``speaking``, or whose words are still to be ``answered``."""
        if self.revocable:
            return speaking or not answered
        return isinstance(self.last, End) and speaking and self._clock.ms < self._by_ms

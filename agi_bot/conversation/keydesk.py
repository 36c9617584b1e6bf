"""The keys of one call: collected, and complete after a pause, whatever sounds on the line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agi_bot.conversation.keypad import Keypad


class KeyDesk:
    """Tell it each key with :meth:`press`; ``complete`` hears of each complete input, in the event loop."""

    def __init__(self, complete: Callable[[str], None]) -> None:
        self._complete = complete
        self._keypad = Keypad()
        self._pause: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> bool:
        """Whether keys were pressed that are not yet complete."""
        return self._keypad.pending

    def expect(self, keys: int) -> None:
        """Wait for up to ``keys`` keys at a time; what was pressed before is dropped."""
        self.stop()
        self._keypad.expect(keys)

    def press(self, key: str) -> None:
        """The caller pressed ``key``; the pause after it begins anew."""
        self.stop()
        if keys := self._keypad.press(key):
            self._complete(keys)
        else:
            loop = asyncio.get_running_loop()
            self._pause = loop.call_later(self._keypad.pause_s, self._paused)

    def _paused(self) -> None:
        self._complete(self._keypad.take())

    def stop(self) -> None:
        """Wait for no pause any more."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

"""DTMF keys into what a step waits for: one key at once, or several together.  Pure."""

from __future__ import annotations


class Keypad:
    """Collects keys; a number of several keys ends when it is full, by ``#``, or by a pause of ``pause_s``."""

    pause_s = 3.0

    def __init__(self) -> None:
        self._want = 1
        self._keys = ""

    @property
    def pending(self) -> bool:
        """Whether keys were pressed that are not yet complete."""
        return bool(self._keys)

    def expect(self, keys: int) -> None:
        """Wait for up to ``keys`` keys at a time; what was pressed before is dropped."""
        self._want, self._keys = max(1, keys), ""

    def press(self, key: str) -> str:
        """The complete input, or an empty string while more keys may come."""
        if self._want > 1 and key == "#":
            return self.take() or "#"
        self._keys += key
        return self.take() if len(self._keys) >= self._want else ""

    def take(self) -> str:
        """What was pressed so far; it is dropped here."""
        keys, self._keys = self._keys, ""
        return keys

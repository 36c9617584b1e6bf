"""``python -m agi_bot``."""

from __future__ import annotations

from agi_bot.cli import main

if __name__ == "__main__":
    main()

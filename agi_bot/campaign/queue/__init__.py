"""The dial queue: only what is due soon, behind one small interface.

The store's own tables hold the truth about tasks; the queue carries work.  One contract
and kill suite (``tests/contracts/test_queue_contract.py``) holds every implementation to
the promise, so that the same interface can run on another engine for many machines.
"""

from __future__ import annotations

from agi_bot.campaign.queue.promise import Claim, Due, Gate, Queue
from agi_bot.campaign.queue.sqlite import SqliteQueue

__all__ = ["Claim", "Due", "Gate", "Queue", "SqliteQueue"]

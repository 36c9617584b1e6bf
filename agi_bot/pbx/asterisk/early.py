"""What Asterisk hears before an answer, kept in a file: a MixMonitor on our own leg, until somebody answers.

Measured on Asterisk 22.10: the leg of an Originate hears a far end's early media (SIP 183),
also through ``Local/``; nothing of the dialplan runs on it before the answer
(``PreDialGoSub`` does not, for an asynchronous Originate), so AMI starts the recording.
"""

from __future__ import annotations

import asyncio
import logging

from agi_bot.errors import PbxError
from agi_bot.pbx.ami import Ami

log = logging.getLogger(__name__)

ID_VARIABLE = "BOT_EARLY_ID"
"""Channel variable with the recording's id: the dialplan stops it when somebody answers."""

TRIES = 20
PAUSE_S = 0.05
"""Asterisk makes the channel a moment after it took the Originate."""


class EarlyRecording:
    """Records the channel ``call_id`` into ``file`` (a path on Asterisk's machine)."""

    def __init__(self, ami: Ami, call_id: str, file: str) -> None:
        self._ami = ami
        self._call_id = call_id
        self._file = file
        self._id = ""

    async def start(self) -> None:
        """Start as soon as there is the channel; a recording that cannot be had is logged, no more."""
        headers = {"Channel": self._call_id, "File": self._file, "options": f"i({ID_VARIABLE})"}
        for _ in range(TRIES):
            try:
                answer = (await self._ami.action("MixMonitor", headers))[0]
            except PbxError as error:
                self._not_heard(str(error))
                return
            if answer.get("response") == "Success":
                self._id = answer.get("mixmonitorid", "")
                return
            await asyncio.sleep(PAUSE_S)
        self._not_heard(answer.get("message", ""))

    async def stop(self) -> None:
        """Somebody answered: what is said now is a conversation."""
        if not self._id:
            return
        try:
            await self._ami.action("StopMixMonitor", {"Channel": self._call_id, "MixMonitorID": self._id})
        except PbxError as error:
            log.debug("early_media.not_stopped", extra={"call_id": self._call_id, "reason": str(error)})

    def _not_heard(self, reason: str) -> None:
        log.warning("early_media.not_recorded", extra={"call_id": self._call_id, "reason": reason})

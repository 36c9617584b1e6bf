"""A bot process for the tests that kill and freeze it: takes every call and hums.

``python stage_bot.py OPTIONS`` with OPTIONS in JSON, as FreeSwitchOptions take them.  It
prints one JSON line with its port, then one a call.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from agi_bot.audio import Frame
from agi_bot.contracts import Call
from agi_bot.errors import CallGone
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx


async def hum(rate: int) -> AsyncIterator[Frame]:
    """A tone of 500 Hz without end."""
    samples = 8000 * np.sin(2 * np.pi * 500 * np.arange(rate // 50) / rate)
    frame = Frame(samples.astype("<i2").tobytes(), rate)
    while True:
        yield frame


async def serve(call: Call) -> None:
    """Hum until the call is gone."""
    print(json.dumps({"call": call.channel, "flow": call.variables.get("flow")}), flush=True)
    try:
        await call.play(hum(call.rate))
    except CallGone:
        await call.release()


async def main(options: dict[str, Any]) -> None:
    """Serve until killed."""
    pbx = FreeSwitchPbx(FreeSwitchOptions(**{"port": 0, **options}))
    await pbx.start()
    print(json.dumps({"port": pbx.port}), flush=True)
    running = set()
    async for call in pbx.calls():
        running.add(asyncio.create_task(serve(call)))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

"""A bot process for the tests that kill and freeze it: takes every call and hums.

``python stage_bot.py OPTIONS`` with OPTIONS in JSON: ``ami`` (host, port, user, secret; may
be missing), ``direct``, and the two ports.  It prints a JSON line when it is ready, then
one a call.  Under a supervisor it lets its heart beat, as ``agi-bot serve`` does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

from agi_bot.audio import Frame
from agi_bot.contracts import Call
from agi_bot.errors import CallGone
from agi_bot.pbx.ami import AmiOptions
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.asterisk.pbx import AsteriskPbx
from agi_bot.supervisor import Heart

HUM = Frame(bytes([0, 16, 0, 240]) * 80)


async def hum() -> AsyncIterator[Frame]:
    """A tone of 4000 Hz without end."""
    while True:
        yield HUM


async def serve(call: Call) -> None:
    """Hum until the call is gone."""
    print(json.dumps({"call": call.channel, "flow": call.variables.get("flow")}), flush=True)
    try:
        await call.play(hum())
    except CallGone:
        return


async def main(options: dict[str, Any]) -> None:
    """Serve until killed."""
    ami = AmiOptions(**options["ami"]) if options.get("ami") else None
    pbx = AsteriskPbx(
        AsteriskOptions(agi_port=options["agi"], audio_port=options["audio"], ami=ami, direct=options["direct"])
    )
    await pbx.start()
    print(json.dumps({"pid": os.getpid()}), flush=True)
    heart = Heart.from_environment()
    running = {asyncio.create_task(heart.beat())} if heart else set()
    async for call in pbx.calls():
        running.add(asyncio.create_task(serve(call)))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

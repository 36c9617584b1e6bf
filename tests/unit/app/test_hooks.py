"""``knowledge:NAME`` is answered from the files beside the flow, everything else goes out by HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from agi_bot.app.hooks import FlowHooks
from agi_bot.contracts import Value
from agi_bot.conversation import HookError
from agi_bot.nlu.knowledge import KnowledgeShelf

FILE = """
- id: parking
  questions: [哪里可以停车, 有停车场吗, 停车怎么收费]
  answers: [医院南门有地下停车场。]
- id: hours
  questions: [几点上班, 什么时候开门, 周末上班吗]
  answers: [每天上午八点开门。]
"""


class Http:
    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        return {"asked": name}


@pytest.fixture
def hooks(tmp_path: Path) -> FlowHooks:
    (tmp_path / "hospital.yml").write_text(FILE, encoding="utf-8")
    return FlowHooks(Http(), KnowledgeShelf([tmp_path]))


async def test_knowledge_is_answered(hooks: FlowHooks) -> None:
    answer = await hooks.run("knowledge:hospital", {"question": "请问有停车场吗"})
    assert answer["answer"] == "医院南门有地下停车场。"


async def test_everything_else_goes_out(hooks: FlowHooks) -> None:
    assert await hooks.run("crm.find", {}) == {"asked": "crm.find"}


async def test_a_missing_knowledge_is_a_failed_hook_with_a_cure(hooks: FlowHooks) -> None:
    with pytest.raises(HookError, match="hospitol") as caught:
        await hooks.run("knowledge:hospitol", {"question": "x"})
    assert "hospital" in caught.value.cure

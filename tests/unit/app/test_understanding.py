"""Which Rasa server understands which language, and training data that was mended."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_bot.app.understanding import Understanding
from agi_bot.config import Settings
from agi_bot.contracts import Context
from agi_bot.errors import NluError
from agi_bot.flow import load_text

ONE = "http://127.0.0.1:5005"
TWO = {"zh-CN": "http://127.0.0.1:1", "EN": "http://127.0.0.1:2"}


@pytest.mark.parametrize(
    ("settings", "language", "url"),
    [
        ({"engine": "embedded", "rasa_urls": TWO}, "en", ""),
        ({"engine": "rasa"}, "en", ONE),
        ({"engine": "rasa", "rasa_urls": TWO}, "zh-CN", TWO["zh-CN"]),
        ({"engine": "rasa", "rasa_urls": TWO}, "en", TWO["EN"]),
        ({"engine": "rasa", "rasa_urls": {"zh-CN": ONE}}, "en", ""),
    ],
)
def test_a_language_is_asked_of_its_own_server(settings: dict[str, object], language: str, url: str) -> None:
    understanding = Understanding(Settings.model_validate({"understanding": settings}))
    assert understanding._rasa_url(language) == url


def test_the_secret_reaches_the_client() -> None:
    understanding = Understanding(Settings.model_validate({"understanding": {"rasa_jwt_secret": "s"}}))
    assert understanding._rasa_settings(ONE).jwt_secret == "s"


FLOW = """
flow: paint
language: en
start: ask
steps:
  ask: {say: Which colour?, ask: red or blue?, on: {colour: bye}}
  bye: {say: Bye., end: done}
"""
DATA = """
version: "3.1"
nlu:
- intent: colour
  examples: |
    - red please
    - I like blue
    - make it yellow
"""


async def test_training_data_that_was_mended_is_taken_up_by_the_next_call(tmp_path: Path) -> None:
    nlu = tmp_path / "nlu.en.yml"
    nlu.write_text(DATA.replace("- intent", "  -intent: x: y"), encoding="utf-8")
    flow = load_text(FLOW, tmp_path / "paint.yaml")
    understanding = Understanding(Settings.model_validate({"speaking": {"cache": tmp_path / "prompts"}}))
    for _ in range(2):
        with pytest.raises(NluError):
            await understanding.of(flow)
    nlu.write_text(DATA, encoding="utf-8")
    interpreter = await understanding.of(flow)
    assert (
        await interpreter.interpret("red please", Context("en", datetime(2026, 11, 21, tzinfo=UTC)))
    ).name == "colour"
    assert await understanding.of(flow) is interpreter
    await understanding.close()

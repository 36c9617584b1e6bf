"""Which Rasa server understands which language."""

from __future__ import annotations

import pytest

from agi_bot.app.understanding import Understanding
from agi_bot.config import Settings

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

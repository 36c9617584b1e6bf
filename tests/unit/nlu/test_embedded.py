"""The embedded interpreter on the shared data: accuracy on unseen phrases, rejection, prior, cache."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from agi_bot.contracts import Context
from agi_bot.errors import NluError
from agi_bot.nlu import EmbeddedInterpreter, NluData, load_embedded

ROOT = Path(__file__).parents[3]
HELD_OUT = ROOT / "tests" / "data" / "nlu"
NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")
LANGUAGES = ["zh-CN", "en"]


@pytest.fixture(scope="module")
def interpreters() -> dict[str, EmbeddedInterpreter]:
    return {language: load_embedded([ROOT / "flows" / "shared"], language) for language in LANGUAGES}


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def outside(language: str) -> list[str]:
    lines = (HELD_OUT / f"outofscope.{language}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line[:1] != "#"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_unseen_phrases_are_understood(language: str, interpreters: dict[str, EmbeddedInterpreter]) -> None:
    held_out = NluData.load([HELD_OUT / f"heldout.{language}.yml"]).all_examples
    found = [interpreters[language].understand(e.text, Context(language, NOW)).name == e.intent for e in held_out]
    assert len(held_out) > 250
    assert share(found) >= 0.88


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_speech_is_rejected(language: str, interpreters: dict[str, EmbeddedInterpreter]) -> None:
    rejected = [interpreters[language].understand(t, Context(language, NOW)).name == "" for t in outside(language)]
    assert len(rejected) > 100
    assert share(rejected) >= 0.85


@pytest.mark.parametrize("industry", ["finance", "hospital", "retail", "school", "shop"])
def test_the_words_of_a_business_do_not_let_other_speech_in(industry: str) -> None:
    interpreter = load_embedded([ROOT / "flows" / "shared", ROOT / "flows" / industry], "zh-CN")
    rejected = [interpreter.understand(t, Context("zh-CN", NOW)).name == "" for t in outside("zh-CN")]
    assert share(rejected) >= 0.89


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_held_out_phrases_were_never_trained_on(language: str) -> None:
    shared = ROOT / "flows" / "shared"
    data = NluData.load([shared / f"nlu.{language}.yml", shared / f"background.{language}.txt"])
    known = {example.text for example in data.all_examples} | set(data.background)
    held_out = {e.text for e in NluData.load([HELD_OUT / f"heldout.{language}.yml"]).all_examples}
    assert not known & (held_out | set(outside(language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shared_intent_has_at_least_25_examples(language: str) -> None:
    data = NluData.load([ROOT / "flows" / "shared" / f"nlu.{language}.yml"])
    assert len(data.intents) == 30
    assert {intent: len(data.examples(intent)) for intent in data.intents if len(data.examples(intent)) < 25} == {}


def test_both_languages_have_the_same_intents() -> None:
    mandarin, english = (NluData.load([ROOT / "flows" / "shared" / f"nlu.{lang}.yml"]) for lang in LANGUAGES)
    assert set(mandarin.intents) == set(english.intents)


@pytest.mark.parametrize(
    ("language", "text", "intent", "words"),
    [
        ("zh-CN", "我那天没空能改到后天下午三点吗", "reschedule", "后天下午三点"),
        ("zh-CN", "我 那天 没空 能 改到 后天 下午 三点 吗", "reschedule", "后天 下午 三点"),
        ("zh-CN", "我那天没空，能改到后天下午三点吗？", "reschedule", "后天下午三点"),
        (
            "en",
            "i have no time that day can it be the day after tomorrow at three in the afternoon",
            "reschedule",
            "the day after tomorrow at three in the afternoon",
        ),
    ],
)
async def test_the_patient_of_the_demo(
    language: str, text: str, intent: str, words: str, interpreters: dict[str, EmbeddedInterpreter]
) -> None:
    context = Context(language, NOW, ("affirm", "deny", "reschedule"), {"new_time": "datetime"})
    heard = await interpreters[language].interpret(text, context)
    assert heard.name == intent
    assert heard.engine == "embedded"
    (entity,) = heard.entities
    assert (entity.kind, entity.value) == ("datetime", datetime(2026, 11, 26, 15, 0, tzinfo=NOW.tzinfo))
    assert entity.text == text[entity.start : entity.end] == words


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [("zh-CN", "对", "affirm"), ("zh-CN", "不", "deny"), ("en", "yes", "affirm"), ("en", "No.", "deny")],
)
def test_short_answers(language: str, text: str, intent: str, interpreters: dict[str, EmbeddedInterpreter]) -> None:
    assert interpreters[language].understand(text, Context(language, NOW)).name == intent


@pytest.mark.parametrize("text", ["", "   ", "。？！", "[unk]", "[unk] <unk>"])
def test_nothing_said_is_nothing_understood(text: str, interpreters: dict[str, EmbeddedInterpreter]) -> None:
    heard = interpreters["zh-CN"].understand(text, Context("zh-CN", NOW, wanted={"when": "datetime"}))
    assert (heard.name, heard.confidence, heard.entities) == ("", 0.0, ())


def test_values_are_looked_for_only_where_wanted(interpreters: dict[str, EmbeddedInterpreter]) -> None:
    assert interpreters["zh-CN"].understand("改到后天下午三点", Context("zh-CN", NOW)).entities == ()


def test_a_value_in_small_talk_is_not_taken(interpreters: dict[str, EmbeddedInterpreter]) -> None:
    heard = interpreters["zh-CN"].understand("今天地铁上有人吵架", Context("zh-CN", NOW, wanted={"day": "date"}))
    assert (heard.name, heard.entities) == ("", ())


def test_a_very_long_utterance_is_harmless(interpreters: dict[str, EmbeddedInterpreter]) -> None:
    heard = interpreters["zh-CN"].understand("三点" * 50_000, Context("zh-CN", NOW, wanted={"when": "time"}))
    assert len(heard.entities) <= 1


TWO_INTENTS = """\
nlu:
- intent: a
  examples: |
    - 好
    - 可以
- intent: b
  examples: |
    - 不
    - 不可以
"""
TWO = NluData.parse(TWO_INTENTS)


def test_the_expected_intent_is_a_bit_likelier() -> None:
    from agi_bot.nlu.training import train

    interpreter = EmbeddedInterpreter(train(TWO, "zh-CN"), TWO)
    shares = {name: dict(interpreter.classify("可不可以", expected=(name,))[2]) for name in ("a", "b")}
    assert shares["a"]["a"] > shares["b"]["a"]
    assert shares["b"]["b"] > shares["a"]["b"]
    assert interpreter.classify("好", expected=("b",))[0] == "a"


def test_one_intent_is_too_few(tmp_path: Path) -> None:
    (tmp_path / "nlu.zh-CN.yml").write_text("nlu:\n- intent: a\n  examples: |\n    - 好\n", encoding="utf-8")
    with pytest.raises(NluError, match="the training data has 1 intent"):
        load_embedded([tmp_path], "zh-CN")


def small_folder(folder: Path) -> Path:
    (folder / "nlu.zh-CN.yml").write_text(TWO_INTENTS, encoding="utf-8")
    return folder


def test_the_cache_answers_the_same(tmp_path: Path) -> None:
    data, cache = small_folder(tmp_path), tmp_path / "cache"
    trained = load_embedded([data], "zh-CN", cache)
    (file,) = cache.iterdir()
    written = file.stat().st_mtime_ns
    cached = load_embedded([data], "zh-CN", cache)
    assert file.stat().st_mtime_ns == written
    assert cached.classify("可不可以") == trained.classify("可不可以")


def test_new_data_make_a_new_model(tmp_path: Path) -> None:
    data, cache = small_folder(tmp_path), tmp_path / "cache"
    load_embedded([data], "zh-CN", cache)
    with (data / "nlu.zh-CN.yml").open("a", encoding="utf-8") as file:
        file.write("    - 不要\n")
    load_embedded([data], "zh-CN", cache)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + bytes(200)])
def test_a_broken_cache_is_replaced(tmp_path: Path, content: bytes) -> None:
    data, cache = small_folder(tmp_path), tmp_path / "cache"
    load_embedded([data], "zh-CN", cache)
    (file,) = cache.iterdir()
    file.write_bytes(content)
    assert load_embedded([data], "zh-CN", cache).classify("好")[0] == "a"
    assert file.stat().st_size > len(content)


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = small_folder(tmp_path)
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert load_embedded([data], "zh-CN", tmp_path / "cache").classify("好")[0] == "a"
    assert "cannot be kept" in caplog.text

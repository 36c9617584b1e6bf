"""The catalogue of voices."""

from pathlib import Path

import pytest

from agi_bot.errors import ConfigError, SpeechError
from agi_bot.speech.coqui.fetch import fetch
from agi_bot.speech.voices import VoiceEntry, Voices


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "voices.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_catalogue_has_the_voices_that_the_settings_name() -> None:
    voices = Voices.load()
    assert voices.entry("calm_female", "zh-CN").title == "温和女声"
    assert voices.entry("pro_male", "zh-CN").title == "专业男声"
    assert voices.entry("calm_female_en", "en").language == "en"
    assert all(entry.licence != "unknown" for entry in voices.entries)


async def test_every_embedded_voice_of_it_speaks() -> None:
    voices = Voices.load()
    try:
        for entry in voices.entries:
            if entry.engine == "espeak":
                voice = voices.get(entry.name, entry.language)
                assert sum([frame.ms async for frame in voice.speak("一二三 one two")]) > 300
        assert len(voices._pools["espeak"].pids) == 1
    finally:
        await voices.close()


@pytest.mark.parametrize(
    ("name", "language", "found"),
    [
        ("calm_female", "zh-CN", "zh-CN"),
        ("calm_female", "zh", "zh-CN"),
        ("calm_female", "en-GB", "en"),
        ("calm_female", "yue", "yue"),
        ("", "en", "en"),
        ("", "yue-HK", "yue"),
    ],
)
def test_one_name_speaks_several_languages(name: str, language: str, found: str) -> None:
    assert Voices.load().entry(name, language).language == found


@pytest.mark.parametrize(
    ("name", "language", "message"),
    [
        ("calm_femal", "zh-CN", "did you mean 'calm_female'"),
        ("lively_female", "en", "does not speak en.*it speaks zh-CN"),
        ("", "fr", "no voice for fr"),
        ("nobody", "en", "voices list"),
    ],
)
def test_a_voice_that_is_not_there(name: str, language: str, message: str) -> None:
    with pytest.raises(SpeechError, match=message):
        Voices.load().get(name, language)


def test_the_same_voice_is_made_once() -> None:
    voices = Voices.load()
    assert voices.get("calm_female", "zh-CN") is voices.get("", "zh")


def test_an_own_catalogue_adds_and_replaces(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        "- {name: calm_female, language: zh-CN, engine: espeak, speaker: f5, title: 我们的}\n"
        "- {name: ours, language: en, engine: espeak, for: everyone}\n",
    )
    voices = Voices.load(path)
    assert voices.entry("calm_female", "zh-CN").title == "我们的"
    assert voices.entry("ours", "en").suits == "everyone"
    assert voices.entry("pro_male", "zh-CN").title == "专业男声"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {name: a, language: en, engine: festival}", r"yml:1: engine: Input should be"),
        ("- {name: a, language: en, engine: espeak}\n- {name: b, language: en}", r"yml:2: engine: Field required"),
        ("- {name: a, language: en, engine: espeak, sped: 1}", r"yml:1: sped: Extra inputs"),
        ("- {name: a, language: en, engine: espeak, speed: 9}", r"yml:1: speed: Input should be less"),
        ("- {name: a b, language: en, engine: espeak}", r"yml:1: name"),
        ("- {name: a, language: en, engine: coqui}", r"yml:1: an coqui voice needs a model|a coqui voice needs"),
        ("- {name: a, language: en, engine: espeak, model: x}", r"yml:1: an espeak voice has no model"),
        ("- 3", r"yml:1: an entry must be a voice"),
        ("voices: []", r"yml:1: a list is expected"),
        ("- {name: [", r"yml:1:\d+: "),
        ("- {1: a, name: b, language: en, engine: espeak}", r"yml:1: "),
    ],
)
def test_a_catalogue_that_is_wrong_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Voices.load(own(tmp_path, text))


def test_a_catalogue_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"absent\.yml cannot be read: No such file"):
        Voices.load(Path("/absent.yml"))


def test_a_model_folder_counts_from_its_catalogue(tmp_path: Path) -> None:
    path = own(tmp_path, "- {name: ours, language: en, engine: coqui, model: models/ours}")
    voices = Voices.load(path, folder=tmp_path / "pulled")
    entry = voices.entry("ours", "en")
    assert not voices.present(entry)
    (tmp_path / "models" / "ours").mkdir(parents=True)
    assert voices.present(entry)
    with pytest.raises(SpeechError, match="names a folder"):
        voices.pull(entry)


def test_a_voice_of_coquis_catalogue_is_looked_for_where_coqui_puts_it(tmp_path: Path) -> None:
    voices = Voices.load(folder=tmp_path)
    entry = voices.entry("baker", "zh-CN")
    assert voices.model_folder(entry) == tmp_path / "tts" / "tts_models--zh-CN--baker--tacotron2-DDC-GST"


def test_a_fetch_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"tts_models/xx/none/such could not be fetched: .+") as caught:
        fetch("tts_models/xx/none/such", tmp_path)
    assert "\n" not in str(caught.value)


def test_entries_are_values() -> None:
    assert VoiceEntry(name="a", language="en", engine="espeak") == VoiceEntry(name="a", language="en", engine="espeak")

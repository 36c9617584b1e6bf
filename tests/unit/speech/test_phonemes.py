"""Phonemes by libespeak-ng: the figures are what its own command prints."""

import sys
from pathlib import Path

import pytest

from agi_bot.speech.coqui import guard
from agi_bot.speech.coqui.signs import Signs
from agi_bot.speech.espeak.phonemes import phonemes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("prior to november twenty two", "p_ɹ_ˈaɪ_ɚ t_ə n_oʊ_v_ˈɛ_m_b_ɚ t_w_ˈɛ_n_t_i t_ˈuː"),
        ("To", "t_ˈuː"),
        ("the hospital's x-ray", "ð_ə h_ˈɑː_s_p_ɪ_ɾ_əl_z ˈɛ_k_s_ɹ_ˈeɪ"),
    ],
)
def test_english(text: str, line: str) -> None:
    assert phonemes().lines(text, "en-us") == [line]


def test_a_voice_is_found_by_its_language_too() -> None:
    assert phonemes().lines("can't", "en-gb") != phonemes().lines("can't", "en-us")
    assert {"en-us", "de", "cmn", "yue"} <= {language for language, _ in phonemes().voices()}


@pytest.mark.parametrize("text", ["", " ", "\x00", "好" * 2000, "a" * 5000])
def test_odd_text_is_no_trouble(text: str) -> None:
    assert isinstance(phonemes().lines(text, "en-us"), list)


def test_a_voice_that_it_has_not() -> None:
    with pytest.raises(ValueError, match="no voice 'nobody'"):
        phonemes().lines("hello", "nobody")


def test_signs_of_english_phonemes_keep_the_marks_between_them() -> None:
    signs = Signs(
        {char: number for number, char in enumerate("hælˈoʊ,. tuː")},
        cleaner="phoneme_cleaners",
        phonemiser="espeak",
        voice="en-us",
        marks=",.",
    )
    assert signs._written("Hello, (to)") == "həlˈoʊ, tˈuː"
    assert signs.knows("hello")
    assert not signs.knows("...")


def test_the_command_is_answered_as_espeak_ng_answers_it(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("Hello, you")
    assert guard._espeak(["-v", "en-us", "--ipa=1", "-f", str(file)]) == ["h_ə_l_ˈoʊ", "j_ˈuː"]
    assert any(line.split()[1] == "en-us" for line in guard._espeak(["--voices"])[1:])
    assert "TTS" not in sys.modules

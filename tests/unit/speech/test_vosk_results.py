from __future__ import annotations

import json

from agi_bot.contracts import Word
from agi_bot.speech.vosk import VoskSettings
from agi_bot.speech.vosk.calibration import Calibration
from agi_bot.speech.vosk.results import parse_partial, parse_words, transcript

SETTINGS = VoskSettings(reject_below=0.5, unknown_share=0.5)


def words(*entries: tuple[str, float, float, float]) -> tuple[Word, ...]:
    result = [{"word": w, "start": s, "end": e, "conf": c} for w, s, e, c in entries]
    return parse_words(json.dumps({"result": result, "text": "whatever"}))


def test_times_become_ms() -> None:
    assert words(("可以", 0.6, 1.02, 0.9)) == (Word("可以", 600, 1020, 0.9),)


def test_confidence_stays_within_bounds() -> None:
    assert [word.confidence for word in words(("a", 0, 1, 1.0004), ("b", 1, 2, -0.1))] == [1.0, 0.0]


def test_an_answer_without_words_is_empty() -> None:
    assert parse_words('{"text": ""}') == ()
    assert parse_partial('{"partial": ""}') == ""


def test_partial_loses_unk_and_chinese_spaces() -> None:
    assert parse_partial('{"partial": "[unk] 我 没空 [unk]"}') == "我没空"
    assert parse_partial('{"partial": "not [unk] today"}') == "not today"


def test_final_text_loses_unk_but_keeps_the_rest() -> None:
    heard = transcript(words(("我", 0, 0.3, 0.9), ("[unk]", 0.3, 0.4, 1.0), ("没空", 0.4, 0.9, 0.8)), SETTINGS)
    assert (heard.text, heard.final, len(heard.words)) == ("我没空", True, 2)
    assert 0.8 < heard.confidence < 0.9


def test_low_confidence_becomes_no_text_but_tells_how_low() -> None:
    heard = transcript(words(("可以", 0, 0.5, 0.31)), SETTINGS)
    assert (heard.text, heard.words) == ("", ())
    assert heard.confidence == 0.31


def test_a_long_sentence_need_not_be_right_to_the_last_word() -> None:
    strict = Calibration((0.0, 1.0, 0.0, -1.0), 0.0)
    one_word = words(("明天", 0, 0.5, 0.45))
    assert transcript(one_word, VoskSettings(reject_below=0.4), strict).text == "明天"
    assert transcript(one_word, VoskSettings(reject_below=0.48), strict).text == ""
    entries = [(f"词{n}", n * 0.5, n * 0.5 + 0.5, 0.97) for n in range(20)]
    sentence = words(*entries, ("吧", 10, 10.3, 0.3))
    heard = transcript(sentence, SETTINGS, strict)
    assert heard.confidence < 0.1
    assert len(heard.words) == 21


def test_mostly_unknown_sound_becomes_no_text() -> None:
    assert transcript(words(("[unk]", 0, 2, 1.0), ("好", 2, 2.3, 0.9)), SETTINGS).text == ""


def test_only_unknown_sound_is_no_text_and_no_confidence() -> None:
    heard = transcript(words(("[unk]", 0, 2, 1.0)), SETTINGS)
    assert (heard.text, heard.confidence, heard.final) == ("", 0.0, True)


def test_single_uncertain_words_can_be_dropped() -> None:
    settings = VoskSettings(drop_below=0.4)
    assert transcript(words(("三", 0, 1, 0.9), ("点", 1, 1.2, 0.1)), settings).text == "三"


def test_words_of_no_length_do_not_divide_by_zero() -> None:
    assert transcript(words(("三", 1, 1, 0.9)), SETTINGS).text == "三"

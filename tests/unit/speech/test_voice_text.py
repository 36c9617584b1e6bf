"""Text for voices: cleaned and cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.errors import SpeechError
from agi_bot.speech.text import (
    SENTENCE_LONGEST,
    clause_spans,
    clean,
    pause_after,
    pieces,
    prepared,
    sentence_spans,
    sentences,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好😀，再见👋🏽", "您好 ，再见"),
        ("<speak>您好<break time='3s'/>再见</speak>", "您好 再见"),
        ("a < b and c > d", "a < b and c > d"),
        ("一\x00二\x1b[31m三", "一 二 [31m三"),
        ("ＡＢＣ１２３", "ABC123"),
        ("  two   spaces \t tab ", "two spaces tab"),
        ("one\r\n\n two", "one\ntwo"),
        ("零\u200b宽\ufeff度", "零 宽 度"),
        ("36.5℃，¥20", "36.5℃，¥20"),
        ("cafe\u0301", "café"),
        ("\ud83d half a pair", "half a pair"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize("text", ["", "   ", "😀😀", "。。。", "<break/>", "\x00\x01", "……！"])
def test_nothing_to_speak_is_an_error(text: str) -> None:
    with pytest.raises(SpeechError, match="nothing to speak"):
        prepared(text, "zh-CN")


def test_too_long_a_text_is_an_error_that_tells_the_limit() -> None:
    with pytest.raises(SpeechError, match=r"5001 characters.*at most 5000"):
        prepared("好" * 5001, "zh-CN")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好。您能来吗？能！", ["您好。", "您能来吗？", "能！"]),
        ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
        ("Version 1.5 is out. Good.", ["Version 1.5 is out.", " Good."]),
        ("一行\n二行", ["一行", "二行"]),
        ("等等……好", ["等等……", "好"]),
        ("真的？！", ["真的？！"]),
        ("没有句号", ["没有句号"]),
        ("好。。。", ["好。。。"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_clauses_keep_numbers_together() -> None:
    assert clauses("您好，共1,200元，请付款。") == ["您好，", "共1,200元，", "请付款。"]
    assert clauses("At 10:30, please come.") == ["At 10:30, ", "please come."]


def clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in clause_spans(text)]


@given(st.text(alphabet="好a1 ，。,.!?\n；“”"))
def test_spans_cover_the_text(text: str) -> None:
    for spans in (sentence_spans(text), clause_spans(text)):
        assert "".join(text[start:end] for start, end in spans) == text


@pytest.mark.parametrize(("text", "ms"), [("好。", 320), ("好，", 160), ("好", 0), ("“好。”", 320), ("OK. ", 320)])
def test_pause_after(text: str, ms: int) -> None:
    assert pause_after(text) == ms


def test_a_long_sentence_is_cut_at_its_commas() -> None:
    text = "，".join(["这是一个不算太长的分句"] * 40) + "。"
    cut = pieces(text)
    assert "".join(piece.text for piece in cut) == text
    assert all(len(piece.text) <= SENTENCE_LONGEST for piece in cut)
    assert cut[0].text.endswith("，")


def test_a_sentence_without_a_comma_is_cut_at_a_space_or_anywhere() -> None:
    assert all(len(piece.text) <= SENTENCE_LONGEST for piece in pieces("好" * 500))
    words = pieces("word " * 100)
    assert all(not piece.text.startswith("ord") for piece in words)


@given(st.text(alphabet="好a1 ，。,.!?\n；“”", max_size=400))
def test_no_letter_is_lost(text: str) -> None:
    cut = pieces(text)
    assert "".join(c for piece in cut for c in piece.text if c.isalnum()) == "".join(c for c in text if c.isalnum())
    assert all(0 < len(piece.text) <= SENTENCE_LONGEST for piece in cut)


@given(st.text(max_size=300))
def test_anything_can_be_cleaned(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode()

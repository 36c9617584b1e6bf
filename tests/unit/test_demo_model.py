"""The bundled demo model: complete, small, and real libvosk hears unseen voices with it."""

import hashlib
import json
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
import vosk

DEMO = Path(__file__).parents[2] / "models" / "demo"
MOST_BYTES = 6_000_000
RATE = 8000

CHINESE_VOICES = ("cmn+m3", "cmn+f2", "cmn+steph")
ENGLISH_VOICES = ("en-us+m3", "en+f5", "en-us+klatt2")

CHINESE = (
    "我那天没空，能改到后天下午三点吗",
    "对",
    "是的",
    "可以",
    "不行",
    "改时间",
    "转人工",
    "你是谁",
    "不要再打了",
    "打错了",
    "您再说一遍",
    "明天上午十点",
)
ENGLISH = (
    "I have no time that day, can it be the day after tomorrow at three in the afternoon",
    "yes",
    "that's right",
    "no",
    "who is this",
    "stop calling",
    "wrong number",
    "speak to a person",
    "say that again",
    "tomorrow at ten in the morning",
    "next tuesday",
)
FOREIGN = {
    "cmn+m3": ("珊瑚礁", "博物馆", "葡萄牙", "摩托艇"),
    "en-us+m3": ("umbrella", "crocodile", "volcano", "jellyfish"),
}


def synthesise(requests: list[tuple[str, str]]) -> list[bytes]:
    """Runs in a process of its own: espeak-ng's state is the process's."""
    sys.path.insert(0, str(DEMO))
    from recipe.espeak import Manner, espeak  # type: ignore[import-not-found]  # only on the path here

    spoken = []
    for voice, text in requests:
        utterance = espeak().say(text, Manner(voice, 160))
        speech = np.asarray(soxr.resample(utterance.samples, utterance.rate, RATE)) * 0.4
        silence = np.zeros(RATE // 2)
        spoken.append(np.concatenate([silence, speech, silence]).astype("<i2").tobytes())
    return spoken


@pytest.fixture(scope="module")
def speaker() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def model() -> Any:
    vosk.SetLogLevel(-1)
    return vosk.Model(str(DEMO))


def hear(model: Any, speech: bytes, grammar: list[str] | None = None) -> str:
    recognizer = vosk.KaldiRecognizer(model, RATE, *([json.dumps(grammar, ensure_ascii=False)] if grammar else []))
    texts = []
    for start in range(0, len(speech), 640):
        if recognizer.AcceptWaveform(speech[start : start + 640]):
            texts.append(json.loads(recognizer.Result())["text"])
    texts.append(json.loads(recognizer.FinalResult())["text"])
    return " ".join(filter(None, texts))


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter not in "， ,")


def test_every_file_is_there_and_unchanged() -> None:
    listed = json.loads((DEMO / "model.json").read_text("utf-8"))["sha256"]
    assert {"am/final.mdl", "conf/model.conf", "conf/fbank.conf", "graph/HCLr.fst", "graph/Gr.fst"} <= set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((DEMO / name).read_bytes()).hexdigest() == digest, name


def test_small_enough_to_be_bundled() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < MOST_BYTES


def test_endpoints_are_configured_or_libvosk_would_abort() -> None:
    assert "--endpoint.silence-phones=" in (DEMO / "conf/model.conf").read_text()


def test_every_listed_word_and_grammar_word_is_in_the_graph(model: Any) -> None:
    for language in ("zh", "en"):
        phrases = json.loads((DEMO / f"grammar.{language}.json").read_text("utf-8"))
        words = {word for phrase in phrases for word in phrase.split()}
        words.update((DEMO / f"words.{language}.txt").read_text("utf-8").split())
        assert len(words) > 150
        assert [word for word in words if model.vosk_model_find_word(word) < 0] == []


@pytest.mark.parametrize(("voices", "sentences"), [(CHINESE_VOICES, CHINESE), (ENGLISH_VOICES, ENGLISH)])
def test_hears_the_demo_in_unseen_voices(
    model: Any, speaker: ProcessPoolExecutor, voices: tuple[str, ...], sentences: tuple[str, ...]
) -> None:
    requests = [(voice, sentence) for voice in voices for sentence in sentences]
    spoken = speaker.submit(synthesise, requests).result()
    wrong = {
        (voice, sentence): heard
        for (voice, sentence), speech in zip(requests, spoken, strict=True)
        if plain(heard := hear(model, speech)) != plain(sentence)
    }
    assert wrong == {}


def test_hears_with_the_grammar_of_one_language(model: Any, speaker: ProcessPoolExecutor) -> None:
    for voice, language, sentence in ((CHINESE_VOICES[0], "zh", CHINESE[0]), (ENGLISH_VOICES[0], "en", ENGLISH[0])):
        grammar = json.loads((DEMO / f"grammar.{language}.json").read_text("utf-8"))
        speech = speaker.submit(synthesise, [(voice, sentence)]).result()[0]
        assert plain(hear(model, speech, grammar)) == plain(sentence)


def test_a_grammar_limits_what_can_be_heard(model: Any, speaker: ProcessPoolExecutor) -> None:
    speech = speaker.submit(synthesise, [("cmn+m3", "转人工"), ("cmn+m3", "可以")]).result()
    assert hear(model, speech[0], ["可以", "不行", "[unk]"]) in ("[unk]", "")
    assert hear(model, speech[1], ["可以", "不行", "[unk]"]) == "可以"


@pytest.mark.parametrize(("voice", "words"), FOREIGN.items())
def test_words_of_no_flow_are_unknown(
    model: Any, speaker: ProcessPoolExecutor, voice: str, words: tuple[str, ...]
) -> None:
    spoken = speaker.submit(synthesise, [(voice, word) for word in words]).result()
    heard = [hear(model, speech) for speech in spoken]
    assert [text for text in heard if "[unk]" not in text] == []


def test_silence_is_no_word(model: Any) -> None:
    assert hear(model, bytes(4 * RATE)) == ""

"""The real coqui-tts, with a checkpoint that its own classes made.

Needs the extra ``coqui``; skipped where torch or coqui-tts is not installed.
"""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from agi_bot.app.voices import VoiceBox
from agi_bot.audio import Frame
from agi_bot.cli.voices import app
from agi_bot.config import Settings
from agi_bot.errors import ModelError, SpeechError
from agi_bot.shipped import shipped
from agi_bot.speech.coqui.onnx import OnnxVoice
from agi_bot.speech.coqui.signs import Signs
from agi_bot.speech.coqui.voice import CoquiVoice, coqui_pool
from agi_bot.speech.fallback import FallbackVoice
from agi_bot.speech.line import active_level, to_wave
from agi_bot.speech.prompts import CachedVoice
from agi_bot.speech.voices import Voices
from agi_bot.speech.worker.voice import WorkerVoice

missing = [name for name in ("torch", "TTS") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.coqui,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (pip install 'agi-bot[coqui]')"),
]

LONG = "您好，这里是市一医院，本次通话会被录音，请您空腹前来，谢谢您的配合。"


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def build(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("coqui") / kind
            recipe = shipped("models", "coqui-fixture", "build.py")
            subprocess.run([sys.executable, str(recipe), str(made[kind]), kind], check=True, capture_output=True)
        return made[kind]

    return build


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice(fixture: Callable[[str], Path]) -> AsyncIterator[CoquiVoice]:
    made = CoquiVoice(fixture("zh"))
    await made.start()
    yield made
    await made.close()


def run(script: str, *arguments: str) -> bytes:
    return subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True).stdout


async def spoken(voice: WorkerVoice, text: str) -> Frame:
    return Frame(b"".join([frame.pcm async for frame in voice.speak(text)]))


async def raw(voice: WorkerVoice, text: str) -> list[bytes]:
    return [piece async for piece in voice._pool.run(voice.request(text))]


async def test_it_is_loaded_by_coquis_own_classes(voice: CoquiVoice) -> None:
    assert voice._pool.info["architecture"] == "Vits"
    assert voice._pool.info["rate"] == 16000
    assert voice._pool.info["streams"] is True


async def test_it_speaks_at_the_level_of_the_line(voice: CoquiVoice) -> None:
    sound = await spoken(voice, LONG)
    assert sound.ms > 2000
    assert active_level(to_wave(sound), 8000) == pytest.approx(-20, abs=3)


async def test_a_sentence_comes_in_pieces_that_make_the_whole(
    voice: CoquiVoice, fixture: Callable[[str], Path]
) -> None:
    pieces = await raw(voice, LONG)
    assert len(pieces) > 3
    assert len(pieces[0]) < len(pieces[1])
    whole = await asyncio.to_thread(run, WHOLE, str(fixture("zh")), LONG)
    streamed = np.frombuffer(b"".join(pieces), "<i2").astype(float) / 16384
    reference = np.frombuffer(whole, "<f4")
    assert len(reference) == len(streamed)
    assert np.abs(streamed - reference).max() < 1e-3


WHOLE = """
import sys
from pathlib import Path
from agi_bot.speech.coqui.guard import import_coqui
import_coqui()
import numpy, torch
from TTS.api import TTS
folder = Path(sys.argv[1])
tts = TTS(model_path=str(folder / "model.pth"), config_path=str(folder / "config.json"), progress_bar=False)
sound = numpy.array(tts.tts(sys.argv[2], split_sentences=False), dtype="<f4")
sys.stdout.buffer.write(sound[:-10000].tobytes())
"""


async def test_closing_in_mid_sentence_stops_the_worker(voice: CoquiVoice) -> None:
    for _ in range(5):
        async with aclosing(voice.speak(LONG * 10)) as frames:  # type: ignore[type-var]
            assert (await anext(frames)).pcm
    async with asyncio.timeout(30):
        assert (await spoken(voice, "好。")).ms > 100


async def test_killed_in_mid_sentence_it_goes_on_where_it_was(voice: CoquiVoice) -> None:
    whole = b"".join(await raw(voice, LONG))
    pieces: list[bytes] = []
    async for piece in voice._pool.run(voice.request(LONG)):
        pieces.append(piece)
        if len(pieces) == 2:
            os.kill(voice._pool.pids[0], signal.SIGKILL)
            await asyncio.sleep(0)
    assert b"".join(pieces) == whole


async def test_a_worker_that_is_killed_does_not_hurt_the_other_calls(fixture: Callable[[str], Path]) -> None:
    pool = coqui_pool(fixture("zh"), workers=2)
    voice = CoquiVoice(fixture("zh"), pool=pool)
    try:
        await voice.start()
        alone = (await spoken(voice, LONG)).ms
        calls = [asyncio.create_task(spoken(voice, LONG)) for _ in range(6)]
        await asyncio.sleep(0.05)
        os.kill(pool.pids[0], signal.SIGKILL)
        assert [call.ms for call in await asyncio.gather(*calls)] == pytest.approx([alone] * 6, abs=60)
    finally:
        await pool.close()


async def test_an_interruption_frees_every_worker_at_once(fixture: Callable[[str], Path]) -> None:
    """200 characters in one piece keep each of two workers busy for a second; after the cut both are idle."""
    pool = coqui_pool(fixture("zh"), workers=2)
    voice = CoquiVoice(fixture("zh"), pool=pool)
    try:
        await voice.start()
        await asyncio.gather(*(slot.up.wait() for slot in pool._slots))
        calls = [pool.run(voice.request("一二三四五六七八九，" * 20)) for _ in range(2)]
        assert all(await asyncio.gather(*(anext(call) for call in calls)))
        assert [slot.busy for slot in pool._slots] == [1, 1]
        await asyncio.gather(*(call.aclose() for call in calls))  # type: ignore[attr-defined]
        assert [slot.busy for slot in pool._slots] == [0, 0]
        assert (await spoken(voice, "好。")).ms > 100
        await asyncio.sleep(0.5)
        before = [cpu_ticks(pid) for pid in pool.pids]
        await asyncio.sleep(0.5)
        assert [cpu_ticks(pid) for pid in pool.pids] == pytest.approx(before, abs=3)
        assert pool.restarts == 0
    finally:
        await pool.close()


def cpu_ticks(pid: int) -> int:
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))


async def test_a_worker_that_eats_memory_is_replaced_and_the_sentence_is_spoken(
    fixture: Callable[[str], Path], tmp_path: Path
) -> None:
    """The model alone is beyond the limit here: no sentence can be had from it, the embedded voice speaks."""
    own = tmp_path / "voices.yml"
    own.write_text(f"- {{name: ours, language: zh-CN, engine: coqui, model: {fixture('zh')}}}\n", encoding="utf-8")
    speaking = {"voices": own, "cache": tmp_path / "prompts", "worker_mb": 100}
    box = VoiceBox(Settings.model_validate({"speaking": speaking}))
    try:
        voice = box.find("ours", "zh-CN")
        assert isinstance(voice, FallbackVoice)
        assert sum([frame.ms async for frame in voice.speak(LONG * 40)]) > 60_000
        assert voice.failures >= 1
    finally:
        await box.close()


async def test_letters_and_digits_are_not_dropped(voice: CoquiVoice) -> None:
    plain = (await spoken(voice, "做检查")).ms
    assert (await spoken(voice, "做CT检查")).ms > plain + 200
    assert (await spoken(voice, "等250天")).ms > (await spoken(voice, "等天")).ms + 400


async def test_text_without_a_known_sign_is_refused_and_the_worker_lives(fixture: Callable[[str], Path]) -> None:
    voice = CoquiVoice(fixture("en"), "en")
    try:
        with pytest.raises(SpeechError, match=r"nothing in .* is known"):
            await spoken(voice, "привет")
        assert (await spoken(voice, "hello there")).ms > 200
        assert voice._pool.restarts == 0
    finally:
        await voice.close()


async def test_speakers_of_a_model_with_several(fixture: Callable[[str], Path]) -> None:
    pool = coqui_pool(fixture("speakers"))
    anna, ben, nobody = (
        CoquiVoice(fixture("speakers"), "en", speaker=name, pool=pool) for name in ("anna", "ben", "eve")
    )
    try:
        assert await raw(anna, "hello") != await raw(ben, "hello")
        with pytest.raises(SpeechError, match="no speaker 'eve'; it has anna, ben"):
            await spoken(nobody, "hello")
    finally:
        await pool.close()


async def test_speed_is_heard(fixture: Callable[[str], Path], voice: CoquiVoice) -> None:
    slow = CoquiVoice(fixture("zh"), speed=0.5, pool=voice._pool)
    assert (await spoken(slow, "您好")).ms > 1.5 * (await spoken(voice, "您好")).ms


async def test_a_checkpoint_of_another_architecture(fixture: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((fixture("speakers") / "config.json").read_bytes())
    (tmp_path / "model.pth").write_bytes((fixture("zh") / "model.pth").read_bytes())
    with pytest.raises(ModelError, match="does not load"):
        await CoquiVoice(tmp_path, "en").start()


async def test_a_damaged_checkpoint(fixture: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((fixture("zh") / "config.json").read_bytes())
    (tmp_path / "model.pth").write_bytes((fixture("zh") / "model.pth").read_bytes()[:5000])
    with pytest.raises(ModelError, match="does not load"):
        await CoquiVoice(tmp_path).start()


async def test_it_can_be_cached_and_chosen_from_a_catalogue(fixture: Callable[[str], Path], tmp_path: Path) -> None:
    own = tmp_path / "voices.yml"
    own.write_text(f"- {{name: ours, language: zh-CN, engine: coqui, model: {fixture('zh')}}}\n", encoding="utf-8")
    voices = Voices.load(own)
    try:
        voice = CachedVoice(voices.get("ours", "zh-CN"), tmp_path / "cache")
        assert (await voice.render(["您好。"])).rendered == 1
        assert await voice.ready("您好。")
    finally:
        await voices.close()


ENGLISH = "Hello, this is the city hospital. Your X-ray is on Tuesday at nine thirty; can you come?"


@pytest.mark.parametrize(
    ("kind", "language", "texts"),
    [("zh", "zh-CN", ("您好。", LONG)), ("en", "en", ("hello", ENGLISH)), ("phonemes", "en", ("To.", ENGLISH))],
)
async def test_an_export_gives_the_same_sound_without_torch(
    fixture: Callable[[str], Path], tmp_path: Path, kind: str, language: str, texts: tuple[str, ...]
) -> None:
    told = CliRunner().invoke(app, ["export", str(fixture(kind)), "--out", str(tmp_path)])
    assert told.exit_code == 0, told.output
    exported, whole = OnnxVoice(tmp_path, language), CoquiVoice(fixture(kind), language)
    try:
        for text in texts:
            ours = np.frombuffer(b"".join(await raw(exported, text)), "<i2").astype(int)
            theirs = np.frombuffer(b"".join(await raw(whole, text)), "<i2").astype(int)
            assert len(ours) == len(theirs) > 2000
            assert np.abs(ours - theirs).max() <= 16
        modules = Path(f"/proc/{exported._pool.pids[0]}/maps").read_text()
        assert "libtorch" not in modules
    finally:
        await asyncio.gather(exported.close(), whole.close())


async def test_english_is_spoken_without_an_espeak_command(
    fixture: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    voice = CoquiVoice(fixture("phonemes"), "en")
    try:
        assert (await spoken(voice, ENGLISH)).ms > 2000
    finally:
        await voice.close()


@pytest.mark.parametrize("kind", ["zh", "en", "phonemes"])
async def test_our_signs_are_coquis_signs(fixture: Callable[[str], Path], kind: str) -> None:
    script = SIGNS.replace("FOLDER", str(fixture(kind)))
    told = await asyncio.to_thread(run, script)
    assert told.decode().splitlines()[-1] == "same"
    assert Signs({}).numbers("您好") == []


SIGNS = """
import itertools, random
from pathlib import Path
from agi_bot.speech.coqui.export import _signs
from agi_bot.speech.coqui.folder import look
from agi_bot.speech.coqui.worker import CoquiModel
model = CoquiModel(look(Path("FOLDER"))).restored()
signs = _signs(model)
made = random.Random(20)
words = ["To", "read", "X-ray", "it's", "Dr. Lee", "(left)", "café", "你好", ",", ". ", "; ", "?!", " - ", "…"]
odd = [" ".join(made.choices(words, k=n)) for n, _ in itertools.product(range(1, 8), range(12))]
mandarin = ["银行行长重新开了行。", "（一）、“二”", "你好!再见?", "西 提", "嗯", "A", "", "重庆的重要长者"]
for text in [*mandarin, *(text for text in odd if text[0].isalnum())]:
    assert signs.numbers(text) == list(model.tokenizer.text_to_ids(text)), text
print("same")
"""


async def test_five_thousand_characters_and_emoji(voice: CoquiVoice) -> None:
    async with aclosing(voice.speak("一二三四五六七八九。😀" * 400)) as frames:  # type: ignore[type-var]
        heard = 0.0
        async for frame in frames:
            heard += frame.ms
            if heard > 20_000:
                break
    with pytest.raises(SpeechError, match="too long"):
        await spoken(voice, "好" * 5001)

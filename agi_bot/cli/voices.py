"""``agi-bot voices``: list, say, audition, verify, pull, export."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agi_bot.audio import Frame
from agi_bot.cli.audition import page
from agi_bot.cli.screen import screen
from agi_bot.config import load
from agi_bot.errors import SpeechError
from agi_bot.speech.coqui.export import export
from agi_bot.speech.line import active_level, to_wave
from agi_bot.speech.voices import VoiceEntry, Voices

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Catalogue = Annotated[Path | None, typer.Option(help="Your own voices.yml; none: the one that agi-bot.yml names.")]
Folder = Annotated[Path | None, typer.Option(help="Folder of pulled models; none: the settings'.")]
Language = Annotated[str, typer.Option(help="zh-CN, yue, en, ...")]

SAMPLES = {
    "zh": "您好，这里是市一医院，提醒您明天上午九点半复诊，请空腹前来。您能按时来吗？",
    "yue": "你好，呢度係市一醫院，提提你聽日朝早九點半覆診。你嚟唔嚟到？",
    "en": "Hello, this is the city hospital. Your appointment is tomorrow at nine thirty AM. Can you come?",
}


@app.command("list")
def list_voices(catalogue: Catalogue = None, language: Language = "", folder: Folder = None) -> None:
    """Show the voices, what they suit and their licences."""
    table = Table("name", "title", "language", "engine", "for", "licence", "here", box=None, pad_edge=False)
    voices = _voices(catalogue, folder)
    for entry in voices.entries:
        if entry.language.lower().startswith(language.lower()):
            licence = entry.licence + ("" if entry.commercial else ", not for business")
            here = "yes" if voices.present(entry) else "-"
            table.add_row(entry.name, entry.title, entry.language, entry.engine, entry.suits, licence, here)
    screen().print(table)


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    voice: Annotated[str, typer.Option(help="Name as in the list; none: the language's first.")] = "",
    language: Language = "zh-CN",
    out: Annotated[Path, typer.Option(help="WAV file to write (8 kHz, mono).")] = Path("say.wav"),
    catalogue: Catalogue = None,
    folder: Folder = None,
) -> None:
    """Speak a text into a WAV file, as a caller would hear it."""
    voices = _voices(catalogue, folder)
    entry = voices.entry(voice, language)
    pcm = asyncio.run(_spoken(voices, [entry], text))[0]
    _write(out, pcm)
    typer.echo(f"{entry.spoken}: {len(pcm) / 16000:.1f} s in {out}")


@app.command()
def audition(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("audition"),
    text: Annotated[str, typer.Option(help="What they all say; none: a sample in each language.")] = "",
    language: Language = "",
    catalogue: Catalogue = None,
    folder: Folder = None,
) -> None:
    """Write one WAV file for each voice that is here, and a page to listen to them."""
    voices = _voices(catalogue, folder)
    wanted = [e for e in voices.entries if e.language.lower().startswith(language.lower()) and voices.present(e)]
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for entry, pcm in zip(wanted, asyncio.run(_spoken(voices, wanted, text)), strict=True):
        name = f"{entry.name}.{entry.language}.wav"
        _write(out / name, pcm)
        rows.append((entry, name, text or _sample(entry)))
    (out / "index.html").write_text(page(rows), encoding="utf-8")
    typer.echo(f"{len(rows)} voices; open {out / 'index.html'}")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names; none: all that are here.")] = None,
    catalogue: Catalogue = None,
    folder: Folder = None,
) -> None:
    """Let voices speak and check that there is sound at the right level."""
    voices = _voices(catalogue, folder)
    wanted = [e for e in voices.entries if (e.name in names if names else voices.present(e))]
    missing = set(names or ()) - {entry.name for entry in wanted}
    faults = {**dict.fromkeys(sorted(missing), "no such voice"), **asyncio.run(_faults(voices, wanted))}
    for name, fault in faults.items():
        typer.echo(f"{name}: {fault or 'ok'}")
    if any(faults.values()):
        raise typer.Exit(1)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="Name as in the list.")],
    language: Language = "",
    accept: Annotated[bool, typer.Option("--accept", help="The licence was read and is accepted.")] = False,
    catalogue: Catalogue = None,
    folder: Folder = None,
) -> None:
    """Fetch a voice's model; its licence is shown first."""
    voices = _voices(catalogue, folder)
    named = [entry for entry in voices.entries if entry.name == name]
    entry = voices.entry(name, language or (named[0].language if named else "zh-CN"))
    typer.echo(f"{entry.spoken}: {entry.title}\nlicence: {entry.licence}")
    if not entry.commercial:
        typer.echo("This licence does not allow business use.")
    if voices.present(entry):
        typer.echo("It is here already.")
        return
    if not accept and not typer.confirm("Do you accept the licence?"):
        raise typer.Exit(1)
    typer.echo(f"{entry.spoken} is in {voices.pull(entry)}")


@app.command("export")
def export_voice(
    name: Annotated[str, typer.Argument(help="A Coqui voice of the list, or the folder of a Coqui model.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    language: Language = "zh-CN",
    catalogue: Catalogue = None,
    folder: Folder = None,
) -> None:
    """Export a VITS model to ONNX, which speaks without torch and coqui-tts."""
    model = Path(name)
    if not model.is_dir():
        voices = _voices(catalogue, folder)
        model = voices.model_folder(voices.entry(name, language))
    export(model, out)
    typer.echo(f"exported to {out}; in your voices.yml:")
    typer.echo(f"- {{name: {model.name}, language: {language}, engine: onnx, model: {out.resolve()}}}")


def _voices(catalogue: Path | None, folder: Path | None) -> Voices:
    """The voices of the running bot, unless others are asked for."""
    wanted = load().speaking
    return Voices.load(catalogue or wanted.voices, folder=folder or wanted.models)


async def _spoken(voices: Voices, entries: list[VoiceEntry], text: str) -> list[bytes]:
    try:
        return [await _sound(voices, entry, text or _sample(entry)) for entry in entries]
    finally:
        await voices.close()


async def _sound(voices: Voices, entry: VoiceEntry, text: str) -> bytes:
    voice = voices.get(entry.name, entry.language)
    return b"".join([frame.pcm async for frame in voice.speak(text)])


async def _faults(voices: Voices, entries: list[VoiceEntry]) -> dict[str, str]:
    try:
        return {entry.spoken: await _fault(voices, entry) for entry in entries}
    finally:
        await voices.close()


async def _fault(voices: Voices, entry: VoiceEntry) -> str:
    """What is wrong with a voice; empty when nothing is."""
    try:
        pcm = await _sound(voices, entry, _sample(entry))
    except SpeechError as error:
        return str(error)
    seconds, level = len(pcm) / 16000, active_level(to_wave(Frame(pcm)), 8000)
    if not 2 < seconds < 20:
        return f"it takes {seconds:.1f} s for a sentence of about 6 s"
    wanted = -20 + entry.gain
    return "" if abs(level - wanted) < 4 else f"its level is {level:.0f} dBFS instead of {wanted:.0f}"


def _sample(entry: VoiceEntry) -> str:
    return SAMPLES.get(entry.language.split("-")[0].lower(), SAMPLES["en"])


def _write(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(pcm)

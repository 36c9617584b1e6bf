"""What is wrong with this installation and what to do: the findings of ``agi-bot check``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

from agi_bot.app.exchange import asterisk_options, freeswitch_options
from agi_bot.app.office_checks import api, dialling, events, receivers
from agi_bot.app.prompts import Prompts
from agi_bot.app.understanding import Understanding
from agi_bot.app.voices import VoiceBox
from agi_bot.app.workshop import model_folders, unfit, uses_demo_model
from agi_bot.config import Settings
from agi_bot.errors import AgiBotError
from agi_bot.findings import Finding, error, ok, warning
from agi_bot.flow import load
from agi_bot.flow.tongue import Tongue
from agi_bot.flow.versions import Library
from agi_bot.pbx.asterisk_checks import check_asterisk
from agi_bot.pbx.freeswitch.checks import check_freeswitch
from agi_bot.speech.turns import PRESETS
from agi_bot.speech.vad import find_model
from agi_bot.speech.vosk import VoskRecognizer

FREE_MB = 1024


async def checkup(settings: Settings) -> AsyncIterator[Finding]:
    """Every finding as soon as it is known: storage, turn-taking, the exchange, hearing, speaking, flows."""
    for finding in machine(settings):
        yield finding
    yield turn_taking(settings)
    async for finding in telephony(settings):
        yield finding
    async for finding in hearing(settings):
        yield finding
    async for finding in speaking(settings):
        yield finding
    async for finding in scripts(settings):
        yield finding
    for finding in (*dialling(settings), *events(settings), *api(settings)):
        yield finding
    async for finding in receivers(settings):
        yield finding


def machine(settings: Settings) -> Iterator[Finding]:
    """Folders and disks."""
    yield folder("database", settings.store.database.parent)
    yield folder("recordings", settings.store.recordings)
    yield folder("prompt cache", settings.speaking.cache)


def turn_taking(settings: Settings) -> Finding:
    """Whether every limit that is set is one."""
    turns = settings.turns
    try:
        PRESETS[turns.preset].with_limits(turns.limits)
    except AgiBotError as failure:
        return error(failure.message, failure.cure or "docs/turns.md tells what each limit means")
    own = "".join(f", {name} {value}" for name, value in turns.limits.items())
    return ok(f"turn-taking: {turns.preset}{own}")


async def telephony(settings: Settings) -> AsyncIterator[Finding]:
    """The exchange that the settings name."""
    if settings.pbx == "freeswitch":
        async for finding in check_freeswitch(freeswitch_options(settings)):
            yield finding
    else:
        for finding in await check_asterisk(asterisk_options(settings)):
            yield finding


def folder(what: str, path: Path) -> Finding:
    """Whether a file can be written below ``path``, and whether the disk has room."""
    parent = next(place for place in (path, *path.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as failure:
        return error(
            f"{what}: {path} cannot be written ({failure.strerror})", "give the bot's user the right, or move it"
        )
    free = shutil.disk_usage(parent).free // 2**20
    if free < FREE_MB:
        return warning(
            f"{what}: only {free} MB free for {path}", "make room; an hour of recordings takes 40 MB as FLAC"
        )
    return ok(f"{what}: {path}, {free // 1024} GB free")


async def hearing(settings: Settings) -> AsyncIterator[Finding]:
    """Voice activity and the recognition models."""
    model, poor = find_model()
    yield (
        warning(f"voice activity: {poor}", "pip install --no-deps silero-vad")
        if poor
        else ok(f"voice activity: {model.name}")
    )
    for language, path in model_folders(settings).items():
        yield await recognition(settings, language, path)


async def recognition(settings: Settings, language: str, path: Path) -> Finding:
    """Whether the model of ``language`` can be loaded."""
    recognizer = VoskRecognizer({language: path})
    try:
        await recognizer.start()
    except AgiBotError as failure:
        return error(f"recognition of {language}: {failure.message}", failure.cure or "agi-bot models verify")
    finally:
        await recognizer.stop()
    if uses_demo_model(settings, language):
        return warning(
            f"recognition of {language}: the bundled demo model, unfit for people",
            "agi-bot models list, then agi-bot models pull NAME and hearing.models in agi-bot.yml",
        )
    return ok(f"recognition of {language}: {path.name}")


async def speaking(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the default voices speak."""
    voices = VoiceBox(settings)
    try:
        await voices.start()
        for language, name in settings.speaking.voice.items():
            yield await speaks(voices, name, language)
    except AgiBotError as failure:
        yield error(f"voices: {failure.message}", failure.cure or "agi-bot voices verify")
    finally:
        await voices.close()


async def speaks(voices: VoiceBox, name: str, language: str) -> Finding:
    """Whether voice ``name`` says something in ``language``."""
    try:
        voice = voices.find(name, language)
        ms = sum([frame.ms async for frame in voice.speak("一二三" if language.startswith("zh") else "one two three")])
    except AgiBotError as failure:
        return error(f"voice {name} ({language}): {failure.message}", failure.cure or "agi-bot voices list")
    if ms < 200:
        return error(f"voice {name} ({language}): says nothing", "agi-bot voices verify")
    return ok(f"voice {name} ({language}): {voice.name}")


async def scripts(settings: Settings) -> AsyncIterator[Finding]:
    """The flows and what they need to be understood."""
    place = settings.flows.folder
    files = [path for path in sorted(place.rglob("*.yaml")) if "tests" not in path.relative_to(place).parts]
    if not place.is_dir():
        yield error(f"flows: there is no folder {place}", "flows.folder in agi-bot.yml names the folder of your flows")
    elif not files:
        yield warning(f"no flows in {place}", "flows.folder names the folder of your flow files")
    understanding, voices = Understanding(settings), VoiceBox(settings)
    library = Library(settings.flows.published)
    for path in files:
        yield await script(understanding, library, path)
        for finding in (*addresses(settings, path), *dialects(settings, voices, path), *rendered(voices, path)):
            yield finding


def addresses(settings: Settings, path: Path) -> Iterator[Finding]:
    """The hooks that the flow in ``path`` calls and that have no address."""
    with suppress(AgiBotError):
        flow = load(path)
        called = {step.call.hook for step in flow.script.steps.values() if step.call}
        for name in sorted(called - settings.hooks.keys()):
            yield warning(
                f"flow {flow.name}: hook {name} has no address, so it always fails in a call",
                f"hooks: {{{name}: {{url: http://..., allow_private: true}}}} in agi-bot.yml",
            )


def dialects(settings: Settings, voices: VoiceBox, path: Path) -> Iterator[Finding]:
    """The dialects that the flow in ``path`` promises and that cannot be heard or spoken here."""
    with suppress(AgiBotError):
        flow = load(path)
        own = (tag for tag, name in flow.script.languages.items() if name == flow.name)
        for tag in own:
            reason = unfit(flow.in_tongue(Tongue(tag)), model_folders(settings), voices.find)
            if reason:
                yield error(f"flow {flow.name} in {tag}: {reason}", "or take it out of the flow's languages")


def rendered(voices: VoiceBox, path: Path) -> Iterator[Finding]:
    """How much of what the flow in ``path`` says in every call lies in the cache."""
    with suppress(AgiBotError):
        found = Prompts(voices).ready(load(path))
        yield ok(f"prompts of {found.flow}: {found.ready} of {found.fixed} fixed pieces are rendered")


async def script(understanding: Understanding, library: Library, path: Path) -> Finding:
    """Whether the flow in ``path`` can be run, and whether calls use that file or a published version."""
    try:
        draft = load(path)
        held = None if draft.script.part else library.current(draft.name)
        differs = library.standing(draft) if held else ""
        flow = load(library.file(draft.name, held.number), home=held.home) if held else draft
        await understanding.of(flow)
    except AgiBotError as failure:
        return error(f"flow {path}: {failure.message}", failure.cure or "agi-bot flow check")
    if differs:
        cure = f"agi-bot flow publish {path} lets the file hold; agi-bot flow unpublish {flow.name}, every change of it"
        return warning(f"flow {flow.name} ({flow.language}): {differs}", cure)
    published = f", published as number {held.number}" if held else ""
    return ok(f"flow {flow.name} ({flow.language}), version {flow.version}{published}")

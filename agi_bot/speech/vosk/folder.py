"""A look into a Vosk model folder before libvosk sees it.

libvosk 0.3 ends the process by a C assertion, or by an exception without a reason, when a
file is missing or a key of ``conf/model.conf`` is absent.  Everything that can be told from
the outside is told here, as a :class:`~agi_bot.errors.ModelError` with file and cure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.errors import ModelError

DEFAULT_RATE = 16000
"""Kaldi's default of ``--sample-frequency``, Hz."""

_FST_MAGIC = b"\xd6\xfd\xb2\x7e"
_MODEL_HEADS = (b"\0B", b"<TransitionModel>")
_SILENCE_KEY = "--endpoint.silence-phones"
_CURE = "fetch it again with: agi-bot models pull NAME --force"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a model folder holds.

    ``rate`` is the model's own sampling rate, Hz.  ``upsample`` and ``downsample`` tell
    whether libvosk accepts lower and higher rates by itself.  ``grammar`` tells whether the
    vocabulary can be narrowed at run time.  ``lists`` maps a language to the file of its
    words in a model of several languages.
    """

    path: Path
    rate: int
    upsample: bool
    downsample: bool
    grammar: bool
    words: Path
    lists: dict[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name

    def decoding_rate(self, line_rate: int) -> int:
        """The rate at which sound of ``line_rate`` Hz is given to libvosk."""
        accepted = self.upsample if line_rate < self.rate else self.downsample
        return line_rate if line_rate == self.rate or accepted else self.rate


def inspect_folder(path: Path) -> ModelFolder:
    """Look at the Vosk model in ``path``; raises :class:`~agi_bot.errors.ModelError`."""
    if not path.exists():
        raise ModelError(
            f"the speech model {path} does not exist",
            cure="agi-bot models list shows the models, agi-bot models pull NAME fetches one",
        )
    if not path.is_dir():
        raise ModelError(f"the speech model {path} is not a folder", cure="unpack the archive first")
    return _inspect_v2(path) if (path / "am").is_dir() or (path / "conf").is_dir() else _inspect_v1(path)


def _inspect_v2(path: Path) -> ModelFolder:
    _check_acoustic(path / "am" / "final.mdl")
    _check_model_conf(path / "conf" / "model.conf")
    return _finish(path, path / "conf", path / "graph")


def _inspect_v1(path: Path) -> ModelFolder:
    if not (path / "final.mdl").exists():
        raise ModelError(
            f"{path} is not a Vosk model: neither am/final.mdl nor final.mdl is in it",
            cure="name the folder that holds the folders am, conf and graph",
        )
    _check_acoustic(path / "final.mdl")
    return _finish(path, path, path)


def _finish(path: Path, conf: Path, graph: Path) -> ModelFolder:
    options = _features(conf)
    return ModelFolder(
        path=path,
        rate=_rate(options, conf),
        upsample=options.get("--allow-upsample") == "true",
        downsample=options.get("--allow-downsample") == "true",
        grammar=_check_graph(graph),
        words=_check_words(graph / "words.txt"),
        lists=_language_lists(path),
    )


def _check_acoustic(path: Path) -> None:
    head = _head(path, 17)
    if not head.startswith(_MODEL_HEADS):
        raise ModelError(f"{path} is not a Kaldi model (it starts with {head[:8]!r})", cure=_CURE)


def _check_model_conf(path: Path) -> None:
    options = read_options(path)
    if not options.get(_SILENCE_KEY):
        raise ModelError(
            f"{path} lacks {_SILENCE_KEY}, without which the recogniser library ends the whole program",
            cure=f"add the line {_SILENCE_KEY}=1:2:3:4:5:6:7:8:9:10 (the ids of the silence phones)",
        )


def _features(conf: Path) -> dict[str, str]:
    for name in ("mfcc.conf", "fbank.conf"):
        if (conf / name).exists():
            return read_options(conf / name)
    raise ModelError(f"{conf} holds neither mfcc.conf nor fbank.conf", cure=_CURE)


def _rate(options: dict[str, str], conf: Path) -> int:
    text = options.get("--sample-frequency", str(DEFAULT_RATE))
    try:
        return int(float(text))
    except ValueError:
        raise ModelError(f"--sample-frequency={text} in {conf} is not a number", cure=_CURE) from None


def _check_graph(graph: Path) -> bool:
    dynamic = (graph / "HCLr.fst").exists()
    for name in ("HCLr.fst", "Gr.fst") if dynamic else ("HCLG.fst",):
        if _head(graph / name, 4) != _FST_MAGIC:
            raise ModelError(f"{graph / name} is not an OpenFst file", cure=_CURE)
    if dynamic:
        _head(graph / "disambig_tid.int", 1)
    return dynamic


def _check_words(path: Path) -> Path:
    first = _head(path, 4096).split(b"\n", 1)[0].split()
    if len(first) != 2 or not first[1].isdigit():
        raise ModelError(f"{path}:1 is not a line of a word and its number", cure=_CURE)
    return path


def _language_lists(path: Path) -> dict[str, Path]:
    found = sorted(path.glob("words.*.txt"))
    return {file.name.split(".")[1]: file for file in found}


def _head(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise ModelError(f"the model file {path} cannot be read: {error.strerror}", cure=_CURE) from error
    if not head:
        raise ModelError(f"the model file {path} is empty", cure=_CURE)
    return head


def read_options(path: Path) -> dict[str, str]:
    """Kaldi options ``--key=value`` of a ``.conf`` file; ``#`` starts a comment.

    Raises :class:`~agi_bot.errors.ModelError` with file and line.
    """
    _head(path, 1)
    lines = path.read_text("utf-8", errors="replace").splitlines()
    options: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        if not text.startswith("--"):
            raise ModelError(f"{path}:{number} is not an option: {text}", cure="write --key=value")
        key, given, value = text.partition("=")
        # Kaldi takes an option without "=" for a switch that is on.
        options[key] = value.strip() if given else "true"
    return options

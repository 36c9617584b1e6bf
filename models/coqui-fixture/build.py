"""A tiny real Coqui checkpoint, made with coqui's own classes: for tests, not for ears.

It is a VITS model of about 0.1 million parameters with random weights from a fixed seed: it
says nothing, but it is loaded, phonemised, run, streamed and exported exactly as a real one.
Its noise scales are 0, so that the same text always gives the same sound.

``zh`` reads Mandarin phonemes, ``en`` English letters, ``phonemes`` English phonemes,
``speakers`` has two speakers.  ``small`` and ``medium`` are Mandarin ones of the size of
real voices, for measuring speed.

Usage: ``python models/coqui-fixture/build.py FOLDER [KIND]``; needs the extra ``coqui``.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from agi_bot.speech.coqui.guard import import_coqui

RATE = 16000
HOP = 256
LETTERS = "abcdefghijklmnopqrstuvwxyz'"


def build(folder: Path, kind: str = "zh") -> Path:
    """Write ``config.json`` and ``model.pth`` into ``folder``; ``kind`` as at the head of this file."""
    import_coqui()
    torch: Any = importlib.import_module("torch")
    vits: Any = importlib.import_module("TTS.tts.models.vits")
    torch.manual_seed(20)
    config = _config(kind)
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "speakers":
        _speakers(folder, config)
    model = vits.Vits(config)
    _steady(torch, model)
    config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict(), "step": 0}, folder / "model.pth")
    return folder


def _config(kind: str) -> Any:
    configs: Any = importlib.import_module("TTS.tts.configs.vits_config")
    config = configs.VitsConfig(
        model_args=configs.VitsArgs(**_SIZES.get(kind, _ARGS)),
        add_blank=True,
        test_sentences=[],
        run_eval=False,
    )
    config.audio.sample_rate = RATE
    config.audio.hop_length = HOP
    config.audio.win_length = config.audio.fft_size = 1024
    if kind in ("en", "speakers"):
        _letters(config)
    elif kind == "phonemes":
        _phonemes(config)
    else:
        _mandarin(config)
    return config


def _mandarin(config: Any) -> None:
    table: Any = importlib.import_module("TTS.tts.utils.text.chinese_mandarin.pinyinToPhonemes")
    shared: Any = importlib.import_module("TTS.tts.configs.shared_configs")
    phonemes = sorted({char for value in table.PINYIN_DICT.values() for char in value[0]} | set("12345"))
    config.use_phonemes = True
    config.phonemizer = "zh_cn_phonemizer"
    config.phoneme_language = "zh-cn"
    config.text_cleaner = "basic_cleaners"
    config.characters = shared.CharactersConfig(
        pad="_", bos="<", eos=">", blank="~", characters="".join(phonemes), punctuations="，。！？、：；,.!?;: "
    )


def _letters(config: Any) -> None:
    shared: Any = importlib.import_module("TTS.tts.configs.shared_configs")
    config.use_phonemes = False
    config.phoneme_language = "en-us"
    config.text_cleaner = "basic_cleaners"
    config.characters = shared.CharactersConfig(
        pad="_", bos="<", eos=">", blank="~", characters=LETTERS, punctuations=",.!?;: "
    )


def _phonemes(config: Any) -> None:
    """English phonemes by espeak-ng, with the signs and the cleaner of Coqui's own English voices."""
    config.use_phonemes = True
    config.phonemizer = "espeak"
    config.phoneme_language = "en-us"
    config.text_cleaner = "phoneme_cleaners"


def _steady(torch: Any, model: Any) -> None:
    """About the durations of real speech, and sound that can be heard."""
    with torch.no_grad():
        model.duration_predictor.proj.bias.fill_(0.6)
        model.duration_predictor.proj.weight.mul_(0.01)
        model.waveform_decoder.conv_post.weight.mul_(4)


def _speakers(folder: Path, config: Any) -> None:
    path = folder / "speakers.json"
    path.write_text(json.dumps({"anna": 0, "ben": 1}), encoding="utf-8")
    config.speakers_file = config.model_args.speakers_file = str(path)
    config.model_args.use_speaker_embedding = config.use_speaker_embedding = True
    config.model_args.num_speakers = config.num_speakers = 2


_ARGS = {
    "out_channels": 513,
    "hidden_channels": 16,
    "hidden_channels_ffn_text_encoder": 32,
    "num_layers_text_encoder": 2,
    "num_layers_posterior_encoder": 2,
    "num_layers_flow": 2,
    "resblock_type_decoder": "2",
    "resblock_kernel_sizes_decoder": [3, 5],
    "resblock_dilation_sizes_decoder": [[1, 2], [2, 6]],
    "upsample_rates_decoder": [8, 8, 4],
    "upsample_kernel_sizes_decoder": [16, 16, 8],
    "upsample_initial_channel_decoder": 32,
    "use_sdp": False,
    "inference_noise_scale": 0.0,
    "inference_noise_scale_dp": 0.0,
    "init_discriminator": False,
}
_MEDIUM = {
    **{name: _ARGS[name] for name in ("out_channels", "resblock_type_decoder", "init_discriminator")},
    "resblock_kernel_sizes_decoder": [3, 5, 7],
    "resblock_dilation_sizes_decoder": [[1, 2], [2, 6], [3, 12]],
    "upsample_rates_decoder": [8, 8, 4],
    "upsample_kernel_sizes_decoder": [16, 16, 8],
    "upsample_initial_channel_decoder": 256,
    "use_sdp": False,
    "inference_noise_scale": 0.0,
    "inference_noise_scale_dp": 0.0,
}
_SMALL = {
    **_MEDIUM,
    "hidden_channels": 96,
    "hidden_channels_ffn_text_encoder": 384,
    "num_layers_text_encoder": 4,
    "upsample_initial_channel_decoder": 128,
}
_SIZES = {"small": _SMALL, "medium": _MEDIUM}

if __name__ == "__main__":
    print(build(Path(sys.argv[1]), *sys.argv[2:3]))

"""Real Rasa servers of another kind: with JSON web tokens, and with the BERT pipeline."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from agi_bot.contracts import Context
from agi_bot.errors import InterpreterDown
from agi_bot.nlu import NluData
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_client import RasaSettings
from agi_bot.nlu.rasa_env import RasaHome, environment
from tests.integration.rasa.conftest import LANGUAGE, Server

pytestmark = pytest.mark.rasa

CONTEXT = Context(LANGUAGE, datetime.fromisoformat("2026-11-24T09:30:00+08:00"))


async def asked(settings: RasaSettings, *texts: str) -> list[str]:
    rasa = RasaInterpreter(settings, NluData(), LANGUAGE)
    try:
        return [(await rasa.interpret(text, CONTEXT)).name for text in texts]
    finally:
        await rasa.close()


def test_json_web_tokens(rasa_home: RasaHome, rasa_model: Path, tmp_path: Path) -> None:
    server = Server(rasa_home, rasa_model, tmp_path / "log", jwt_secret="a secret of thirty-two characters")
    server.start()
    try:
        assert asyncio.run(asked(server.settings, "我要转人工")) == ["transfer_human"]
        for wrong in (replace(server.settings, jwt_secret="another"), replace(server.settings, jwt_secret="")):
            with pytest.raises(InterpreterDown, match="refused the token"):
                asyncio.run(asked(wrong, "我要转人工"))
    finally:
        server.kill()


SMALL = """
version: "3.1"
nlu:
- intent: affirm
  examples: |
    - 好的
    - 可以
    - 没问题
    - 好的没问题
    - 可以的
- intent: price
  examples: |
    - 多少钱
    - 价格是多少
    - 这个多少钱
    - 要多少钱
    - 费用是多少
"""

TINY_BERT = """
import sys
from pathlib import Path
from transformers import BertConfig, BertTokenizer, TFBertModel
folder, signs = Path(sys.argv[1]), sorted({sign for sign in sys.argv[2] if not sign.isspace()})
folder.mkdir()
unused = [f"[unused{number}]" for number in range(99)]  # Rasa counts on [CLS] and [SEP] being 101 and 102
words = ["[PAD]", *unused, "[UNK]", "[CLS]", "[SEP]", "[MASK]", *signs]
(folder / "vocab.txt").write_text("\\n".join(words), encoding="utf-8")
BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
sizes = dict(hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
model = TFBertModel(BertConfig(vocab_size=len(words), **sizes))
model(model.dummy_inputs)
model.save_pretrained(folder)
"""


def test_the_bert_pipeline(rasa_home: RasaHome, tmp_path: Path) -> None:
    """Weights of a tiny BERT made here by transformers' own classes: the path of real ones, without their size."""
    python = str(rasa_home.program.with_name("python"))
    if subprocess.run([python, "-c", "import transformers"], capture_output=True, check=False).returncode:
        pytest.skip("no transformers in Rasa's environment (agi-bot rasa setup --bert)")
    weights = tmp_path / "bert"
    made = [python, "-c", TINY_BERT, str(weights), SMALL]
    subprocess.run(made, env=environment(), check=True, capture_output=True)
    (tmp_path / "nlu.yml").write_text(SMALL, encoding="utf-8")
    home = RasaHome(tmp_path / "home")
    home.folder.mkdir()
    (home.folder / "env").symlink_to((rasa_home.folder / "env").resolve())
    model = home.train(NluData.load([tmp_path / "nlu.yml"]), LANGUAGE, "bert", str(weights))
    server = Server(rasa_home, model, tmp_path / "log")
    server.start()
    try:
        assert asyncio.run(asked(server.settings, "这个多少钱", "可以的")) == ["price", "affirm"]
    finally:
        server.kill()

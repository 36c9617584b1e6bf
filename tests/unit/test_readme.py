"""What the READMEs show must be true: the flow compiles, the commands and the files exist."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
import yaml

from agi_bot.campaign.intake import check_number
from agi_bot.cli.groups import COMMANDS, GROUPS
from agi_bot.config import load
from agi_bot.flow import load as load_flow
from agi_bot.flow import load_text
from agi_bot.flow.check import check

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README.zh-CN.md"]
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in READMES}


def blocks(name: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", TEXTS[name], re.S)


def test_the_flow_compiles_without_errors() -> None:
    (flow,) = [block for block in blocks("README.md", "yaml") if block.startswith("flow:")]
    errors = [problem for problem in check(load_text(flow, Path("README.md"))) if problem.is_error]
    assert errors == []


@pytest.mark.parametrize("name", READMES)
def test_the_settings_are_accepted(name: str, tmp_path: Path) -> None:
    settings = "".join(block for block in blocks(name, "yaml") if not block.startswith("flow:"))
    file = tmp_path / "agi-bot.yml"
    file.write_text(settings, encoding="utf-8")
    written, read = yaml.safe_load(settings), load(file, {})
    assert read.asterisk.ami.user == written["asterisk"]["ami"]["user"]
    assert read.hooks.keys() == written["hooks"].keys()
    assert read.hooks["crm.reschedule"].url == written["hooks"]["crm.reschedule"]


@pytest.mark.parametrize("name", READMES)
def test_every_command_exists(name: str) -> None:
    shown = set(re.findall(r"agi-bot (\w+)", TEXTS[name])) - {"and"}
    assert shown <= {*COMMANDS, *GROUPS}, shown - {*COMMANDS, *GROUPS}


@pytest.mark.parametrize("name", READMES)
def test_the_list_fits_the_campaign(name: str) -> None:
    (script,) = re.findall(r"agi-bot campaign create \w+ (\w+)", TEXTS[name])
    (path,) = (ROOT / "flows").glob(f"*/{script}.yaml")
    (row,) = csv.DictReader(io.StringIO(blocks(name, "csv")[0]))
    assert check_number(row.pop("number")) == "13800000000"
    assert load_flow(path).read_task(row).keys() == row.keys()


@pytest.mark.parametrize("name", READMES)
def test_every_linked_file_exists(name: str) -> None:
    links = re.findall(r"\]\(([\w./-]+)", TEXTS[name])
    missing = [link for link in links if not (ROOT / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", READMES)
def test_every_named_file_of_ours_exists(name: str) -> None:
    named = re.findall(r"`((?:dialplans|docs|flows|models)/[\w./-]+)`", TEXTS[name])
    assert [path for path in named if not (ROOT / path).exists() and not path.startswith("models/vosk")] == []


def test_both_readmes_show_the_same_variables() -> None:
    variables = [sorted(set(re.findall(r"BOT_[A-Z_]+", text))) for text in TEXTS.values()]
    assert variables[0] == variables[1]


def test_both_readmes_have_the_same_sections_and_code() -> None:
    headings = [len(re.findall(r"^## ", text, re.M)) for text in TEXTS.values()]
    assert headings[0] == headings[1]
    code = [[_bare(block) for block in re.findall(r"```.*?```", text, re.S)] for text in TEXTS.values()]
    assert code[0] == code[1]


def _bare(block: str) -> str:
    """The block without its comments and what a reader fills in, which are translated."""
    return re.sub(r"\s*(?:#|;)\s.*|<.*?>", "", block)

"""Knowledge files: read, matched, followed up, taken up anew while running; and the questions nobody answers."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agi_bot.cli.knowledge import app
from agi_bot.errors import NluError, StoreError
from agi_bot.nlu import BrokenData, NluData
from agi_bot.nlu.gaps import as_entries, gaps
from agi_bot.nlu.knowledge import Knowledge, KnowledgeShelf, aside
from agi_bot.nlu.knowledge_file import read_knowledge
from agi_bot.nlu.topics import sort_out
from agi_bot.shipped import shipped

DATA = Path(__file__).parents[2] / "data" / "knowledge"


@pytest.fixture(scope="module")
def background() -> tuple[str, ...]:
    shared = shipped("flows", "shared")
    return aside(NluData.load([shared / "nlu.zh-CN.yml", shared / "background.zh-CN.txt"]))


@pytest.fixture(scope="module")
def hospital(background: tuple[str, ...]) -> Knowledge:
    return Knowledge.load(DATA / "hospital.yml", "zh-CN", background)


def questions(name: str) -> list[tuple[str, str]]:
    lines = (DATA / f"questions.{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines if line[:1] != "#"]


def _background(language: str) -> tuple[str, ...]:
    shared = shipped("flows", "shared")
    return aside(NluData.load([shared / f"nlu.{language}.yml", shared / f"background.{language}.txt"]))


LISTS = {
    "hospital": (DATA / "hospital.yml", "zh-CN", 30, 30, 26),
    "hospital_en": (shipped("flows", "hospital", "knowledge", "hospital_en.yml"), "en", 25, 30, 24),
    "courses": (shipped("flows", "school", "knowledge", "courses.yml"), "zh-CN", 25, 33, 19),
    "gym": (DATA / "gym.yml", "en", 34, 36, 28),
}
"""Knowledge file, language, questions that it answers and that it does not, and how many must be answered rightly."""


@pytest.fixture(scope="module")
def given() -> dict[str, list[tuple[str, str]]]:
    """Of each list the entries that its questions want, and those that they get."""
    rows = {}
    for name, (file, language, *_) in LISTS.items():
        knowledge = Knowledge.load(file, language, _background(language))
        answers = [(expected, knowledge.answer(text)) for text, expected in questions(name)]
        rows[name] = [(expected, found.id if found else "") for expected, found in answers]
    return rows


@pytest.mark.parametrize("name", LISTS)
def test_other_wordings_find_their_answer(name: str, given: dict[str, list[tuple[str, str]]]) -> None:
    _, _, asked, foreign, least_right = LISTS[name]
    assert [sum(bool(expected) == known for expected, _ in given[name]) for known in (True, False)] == [asked, foreign]
    assert sum(bool(expected) and got == expected for expected, got in given[name]) >= least_right


def test_less_than_one_question_in_twenty_gets_a_wrong_answer(given: dict[str, list[tuple[str, str]]]) -> None:
    wrong = [expected for rows in given.values() for expected, got in rows if got not in ("", expected)]
    assert len(wrong) / sum(map(len, given.values())) < 0.05
    never_tuned_on = [*given["courses"], *given["gym"]]
    assert sum(got not in ("", expected) for expected, got in never_tuned_on) <= 4


def test_topics_that_an_entry_is_about_help_it_and_the_others_oppose_it() -> None:
    found = sort_out({"place": ["在哪里"], "pay": ["怎么付款"]}, "zh-CN", ["好的", "我在上班"])
    assert "具体位置在哪" in found.wordings["place"]
    assert "做手术多少钱" in found.foreign
    assert not set(found.foreign) & {text for texts in found.wordings.values() for text in texts}
    assert sort_out({"place": ["wo ist das"]}, "de", []).foreign == ()


def test_small_talk_has_no_answer(hospital: Knowledge) -> None:
    for text in ("今天股票涨了没有", "你家孩子几岁了", "好的", "", "。"):
        assert hospital.answer(text) is None


def test_a_follow_up_is_likelier_after_its_answer(hospital: Knowledge) -> None:
    first = hospital.answer("需要空腹吗")
    assert first is not None
    assert first.follow_ups == ("那喝水呢", "药还能吃吗")
    before = dict(hospital.ranking("水呢"))["fasting_water"]
    assert dict(hospital.ranking("水呢", after="fasting"))["fasting_water"] == pytest.approx(before + 0.5)
    second = hospital.answer("水呢", after="fasting")
    assert second is not None
    assert second.id == "fasting_water"


def test_wordings_take_turns(tmp_path: Path) -> None:
    file = tmp_path / "k.yml"
    file.write_text("- questions: [多少钱]\n  answers: [十元, 只要十元]\n- question: 在哪里\n  answer: 三楼\n")
    knowledge = Knowledge.load(file)
    said = [knowledge.answer("多少钱", turn=turn) for turn in range(3)]
    assert [one.text for one in said if one] == ["十元", "只要十元", "十元"]


def test_csv_from_a_spreadsheet(tmp_path: Path) -> None:
    file = tmp_path / "k.csv"
    file.write_text(
        "\ufeffid,question,also,answer,follows\n"
        "p,how much is it,what does it cost|what is the price,ten dollars,\n"
        ",where is it,,third floor,\n"
        ',is there a discount,,"yes, ten percent",p\n',
        encoding="utf-8",
    )
    entries = read_knowledge(file)
    assert [(entry.id, entry.questions, entry.follows) for entry in entries] == [
        ("p", ("how much is it", "what does it cost", "what is the price"), ""),
        ("where is it", ("where is it",), ""),
        ("is there a discount", ("is there a discount",), "p"),
    ]
    found = Knowledge(entries).answer("what does that cost")
    assert found is not None
    assert found.text == "ten dollars"


def test_one_entry_is_enough(background: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "k.yml"
    file.write_text("answers:\n- questions: [几点开门, 几点上班]\n  answer: 八点\n")
    knowledge = Knowledge.load(file, "zh-CN", background)
    assert knowledge.answer("你们几点开门") is not None
    assert knowledge.answer("外面下雨了") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answers:\n- answer: 好\n", "k.yml:2:3: this entry has no question"),
        ("answers:\n- questions: [好吗]\n", "k.yml:2:3: the question '好吗' has no answer"),
        ("answers:\n- {questions: [a], answer: b, x: c}\n", "unknown key 'x'"),
        ("answers:\n- {id: i, question: a, answer: b}\n- {id: i, question: c, answer: d}\n", "already used in line 2"),
        ("answers: 3\n", "k.yml:1:10: this is not a list of answers"),
        ("answers:\n- 好\n", "k.yml:2:3: this entry is not a mapping"),
        ("answers:\n- {questions: [[a]], answer: b}\n", "questions: is not text"),
        ("a: [\n", "this is not YAML"),
        ("", "k.yml:1:1: the file answers nothing"),
        ("wrong: []\n", "the file answers nothing"),
    ],
)
def test_faults_of_yaml(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "k.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenData) as caught:
        read_knowledge(file)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question;answer\na;b\n", "unknown column 'question;answer'"),
        ("question,answer\n,b\n", "k.csv:2:1: this entry has no question"),
        ("question,answer\na,\n", "k.csv:2:1: the question 'a' has no answer"),
        ("question,answer,follows\na,b,z\n", "a follows z, which is no entry"),
    ],
)
def test_faults_of_csv(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "k.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenData) as caught:
        read_knowledge(file)
    assert message in str(caught.value)


def write(file: Path, answer: str, stamp: int) -> None:
    file.write_text(f"answers:\n- questions: [在哪里]\n  answer: {answer}\n- questions: [多少钱]\n  answer: 十元\n")
    os.utime(file, ns=(stamp, stamp))


async def test_a_changed_file_is_taken_up_and_a_broken_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "k.yml"
    write(file, "三楼", 1)
    shelf = KnowledgeShelf([tmp_path / "none", tmp_path])
    assert shelf.names() == {"k"}
    assert await shelf.run("k", {"question": "在哪里"}) == {"answer": "三楼", "id": "在哪里"}
    first = await shelf.get("k")
    assert await shelf.get("k") is first
    write(file, "四楼", 2)
    assert (await shelf.run("k", {"question": "在哪里"}))["answer"] == "四楼"
    write(file, "[", 3)
    assert (await shelf.run("k", {"question": "在哪里"}))["answer"] == "四楼"
    assert "knowledge.refused" in caplog.text
    write(file, "五楼", 4)
    assert (await shelf.run("k", {"question": "在哪里"}))["answer"] == "五楼"


async def test_what_nobody_answers_is_told(tmp_path: Path) -> None:
    write(tmp_path / "k.yml", "三楼", 1)
    told: list[tuple[str, str]] = []
    shelf = KnowledgeShelf([tmp_path], {"zh-CN": ["下雨了"]}, lambda name, question: told.append((name, question)))
    assert await shelf.run("k", {"question": "外面下雨了"}) == {}
    assert told == [("k", "外面下雨了")]


async def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path / "k.yml", "三楼", 1)
    with pytest.raises(NluError, match=r"there is no knowledge 'z' \(known are: k\)"):
        await KnowledgeShelf([tmp_path]).run("z", {"question": "在哪里"})


ASKED = [
    "能做核磁共振吗",
    "能做核磁共振吗",
    "核磁共振可以做吗",
    "我想做核磁共振。",
    "怎么办住院",
    "住院手续怎么办",
    "订火车票",
    "",
]


def test_gaps_are_grouped_and_counted(background: tuple[str, ...]) -> None:
    found = gaps(ASKED, "zh-CN", background)
    assert [(gap.count, gap.title) for gap in found] == [(4, "能做核磁共振吗"), (2, "怎么办住院"), (1, "订火车票")]


def test_gaps_of_nothing_and_of_very_many() -> None:
    assert gaps([], "en") == []
    many = gaps([f"question number {number}" for number in range(5000)], "en")
    assert sum(gap.count for gap in many) == 2000


def test_gaps_become_entries_to_fill_in(tmp_path: Path, background: tuple[str, ...]) -> None:
    file = tmp_path / "k.yml"
    file.write_text(as_entries(gaps(ASKED, "zh-CN", background)).replace("answer: ", "answer: 好"), encoding="utf-8")
    assert [entry.questions[0] for entry in read_knowledge(file)] == ["能做核磁共振吗", "怎么办住院", "订火车票"]


def test_gaps_from_a_file_without_what_is_answered(tmp_path: Path) -> None:
    source = tmp_path / "asked.txt"
    source.write_text("\n".join([*ASKED, "在哪里", "多少钱呢"]), encoding="utf-8")
    write(tmp_path / "k.yml", "三楼", 1)
    arguments = ["gaps", str(source), "--knowledge", str(tmp_path / "k.yml"), "--format", "json"]
    listed = json.loads(CliRunner().invoke(app, arguments).output)
    groups = [(4, "能做核磁共振吗"), (2, "怎么办住院"), (1, "订火车票")]
    assert [(gap["count"], gap["title"]) for gap in listed] == groups


def test_gaps_from_the_database(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with sqlite3.connect(database) as opened:
        opened.execute("CREATE TABLE turns (heard TEXT, intent TEXT)")
        rows = [("核磁共振可以做吗", "question"), ("好的", "affirm"), ("呃呃", ""), ("", "")]
        opened.executemany("INSERT INTO turns VALUES (?, ?)", rows)
    printed = CliRunner().invoke(app, ["gaps", "--database", str(database)]).output
    assert "核磁共振可以做吗" in printed
    assert "好的" not in printed
    assert "2 questions in 2 groups" in printed


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("nothing of the kind")
    for name in ("none.db", "x.db"):
        result = CliRunner().invoke(app, ["gaps", "--database", str(tmp_path / name)])
        assert isinstance(result.exception, StoreError)


def test_ask_shows_what_came_near() -> None:
    printed = CliRunner().invoke(app, ["ask", str(DATA / "hospital.yml"), "早上能吃东西吗"]).output
    assert printed.startswith("抽血要空腹")
    assert "fasting" in printed
    checked = CliRunner().invoke(app, ["check", str(DATA / "hospital.yml")]).output
    assert "16 answers, 48 questions" in checked

"""Campaigns, keys, outbox and decisions from the command line, over one store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agi_bot.cli.main import app
from agi_bot.errors import AgiBotError
from agi_bot.shipped import shipped

Run = Callable[..., Result]
LIST = "customer_id,number,name,appointment,item\n1,13800000001,张伟,2027-01-01T10:00,血糖复查\n2,138x,李娜,,\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agi-bot.yml").write_text(f"flows: {{folder: {shipped('flows')}}}\n", encoding="utf-8")

    def work(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        if isinstance(result.exception, AgiBotError):
            raise result.exception
        return result

    return work


def test_a_campaign_from_start_to_report(run: Run, tmp_path: Path) -> None:
    assert "agi-bot campaign start spring" in run("campaign", "create", "spring", "appointment_reminder").output
    assert "paused" in run("campaign", "status").output
    (tmp_path / "l.csv").write_text(LIST, encoding="utf-8")
    imported = run("campaign", "import", "spring", "l.csv", "--refused", "refused.csv")
    assert imported.exit_code == 3
    assert "2 rows: 1 new, 0 known, 1 refused" in imported.output
    assert "line 3: number: 'x' is not a digit 0-9" in imported.output
    assert (tmp_path / "refused.csv").read_text("utf-8-sig").splitlines()[1].startswith("3,number,")
    assert run("campaign", "start", "spring").output == "spring: running\n"
    assert run("campaign", "pause", "spring").output == "spring: paused\n"
    report = json.loads(run("campaign", "report", "spring", "--json").output)
    assert (report["tasks"], report["attempts"], report["answer_rate"]) == ({"waiting": 1}, 0, 0.0)
    run("campaign", "export", "spring", "--out", "r.csv")
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbftask_id,")
    run("campaign", "export", "spring", "--format", "json", "--mask", "--out", "r.txt")
    assert json.loads((tmp_path / "r.txt").read_text("utf-8"))[0]["number"] == "138****0001"
    run("campaign", "report", "spring", "--html", "r.html")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.startswith("<!doctype html><html lang='en'>")
    head = page.partition("<div")[0].partition("</style>")[2]
    assert head.count("spring") == 1, "the name stands once where it is the title"
    for word in ("script appointment_reminder", "no calls yet", "hours 09:00-20:00 on Mon, Tue", "CST"):
        assert word in head


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("campaign", "start", "nobody"), "no campaign 'nobody'"),
        (("campaign", "create", "spring", "nothing"), "no script 'nothing'"),
        (("campaign", "create", "a b", "appointment_reminder"), "letters, digits"),
        (("campaign", "create", "s", "appointment_reminder", "--hours", "9-5"), "09:00-20:00"),
        (("campaign", "create", "s", "appointment_reminder", "--days", "mo"), "weekdays"),
        (("campaign", "create", "s", "appointment_reminder", "--days", "89"), "Monday"),
        (("campaign", "export", "spring", "--out", "r.pdf"), "pdf: unknown"),
        (("campaign", "export", "spring", "--out", "r.csv"), "no campaign 'spring'"),
        (("key", "create", "crm", "--role", "king"), "no role 'king'"),
        (("key", "revoke", "crm"), "no key named 'crm'"),
        (("outbox", "list", "--state", "lost"), "unknown"),
        (("why", "+86138"), "not a digit"),
    ],
)
def test_what_is_wrong_is_told(run: Run, arguments: tuple[str, ...], word: str) -> None:
    with pytest.raises(AgiBotError, match=word):
        run(*arguments)


def test_a_campaign_with_all_its_wishes(run: Run, tmp_path: Path) -> None:
    wishes = ["--hours", "09:00-12:00", "--hours", "14:00-18:00", "--days", "12345", "--lines", "3", "--consent"]
    run("campaign", "create", "spring", "appointment_reminder", "--zone", "Asia/Urumqi", "--start", *wishes)
    with sqlite3.connect(tmp_path / "agi-bot-data" / "agi-bot.db") as db:
        state, zone, rules = db.execute("SELECT state, zone, rules FROM campaigns").fetchone()
    db.close()
    kept = json.loads(rules)
    assert (state, zone, kept["lines"], kept["consent"]) == ("running", "Asia/Urumqi", 3, True)
    assert kept["windows"] == [["09:00:00", "12:00:00", [1, 2, 3, 4, 5]], ["14:00:00", "18:00:00", [1, 2, 3, 4, 5]]]


def test_a_campaign_with_rules_from_a_file(run: Run, tmp_path: Path) -> None:
    rules = {"retries": {"busy": [1, 5]}, "caller_ids": {"021": "02160001111"}, "caps": [[1, 2]], "lines": 7}
    rules |= {"sms": [{"outcomes": ["no_answer"], "text": "{name}您好"}]}
    (tmp_path / "r.json").write_text(json.dumps(rules), encoding="utf-8")
    run("campaign", "create", "spring", "appointment_reminder", "--rules", "r.json", "--remind", "1d@10:00")
    with sqlite3.connect(tmp_path / "agi-bot-data" / "agi-bot.db") as db:
        kept = json.loads(db.execute("SELECT rules FROM campaigns").fetchone()[0])
    db.close()
    assert (kept["retries"]["busy"], kept["caller_ids"], kept["lines"]) == ([1, 300.0], {"021": "02160001111"}, 7)
    assert (kept["remind"], kept["sms"]) == (["1d@10:00"], [[["no_answer"], "{name}您好"]])


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"lines": 0}, "lines"),
        ({"colour": "red"}, "colour"),
        ({"sms": [{"outcomes": ["busy"], "text": "{nmae}"}]}, "nmae"),
        ({"retries": {"rejected": [1, 1]}}, "never called again"),
        ({"retries": {"busy": [99, 1]}}, "0 to 20"),
        ({"caller_ids": {"x": "400"}}, "beginning"),
        ({"caller_ids": {"021": "4+0"}}, "caller_ids.021"),
        ({"remind": ["soon"]}, "3d"),
    ],
)
def test_bad_rules_from_a_file(run: Run, tmp_path: Path, rules: dict[str, object], word: str) -> None:
    (tmp_path / "r.json").write_text(json.dumps(rules), encoding="utf-8")
    with pytest.raises(AgiBotError, match=word):
        run("campaign", "create", "spring", "appointment_reminder", "--rules", "r.json")
    assert "spring" not in run("campaign", "status").output


def test_numbers_by_the_list(run: Run, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("number\n13800000001\nabc\n", encoding="utf-8")
    told = run("numbers", "do-not-call", "state", "n.csv", "--refused", "refused.csv")
    assert told.exit_code == 3
    assert "2 rows: 1 added, 0 known, 1 refused" in told.output
    assert "line 3" in told.output
    assert (tmp_path / "refused.csv").exists()
    assert "1 kept" in run("numbers", "consent", "n.csv", "--source", "web form").output
    assert "on the do-not-call list 'state'" in run("why", "13800000001").output


@pytest.mark.parametrize("words", [("do-not-call", "state"), ("consent", "--source", "web form")])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("13800000001\n13800000002\n", "n.csv:1: the first line names no columns, a number stands in it"),
        ("13800000001\n", "a number stands in it"),
        ("\ufeff+8613800000001\n", "a number stands in it"),
        ("phone\n13800000001\n", "n.csv:1: no column 'number'"),
    ],
)
def test_a_list_of_numbers_without_the_name_of_their_column(
    run: Run, tmp_path: Path, words: tuple[str, ...], text: str, says: str
) -> None:
    (tmp_path / "n.csv").write_text(text, encoding="utf-8")
    with pytest.raises(AgiBotError) as caught:
        run("numbers", words[0], *words[1:], "n.csv")
    assert says in str(caught.value)
    assert "number" in (caught.value.cure or "")


def test_an_empty_cell_in_the_first_row_is_only_a_refused_row(run: Run, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("name,number\n张伟,\n李娜,13800000001\n", encoding="utf-8")
    assert "2 rows: 1 added, 0 known, 1 refused" in run("numbers", "do-not-call", "state", "n.csv").output


def test_keys(run: Run) -> None:
    key = run("key", "create", "crm", "--role", "viewer").output.strip()
    assert key.startswith("ab_")
    assert "viewer" in run("key", "list").output
    assert key.split("_", 2)[2] not in run("key", "list").output
    with pytest.raises(AgiBotError, match="there is a key named 'crm'"):
        run("key", "create", "crm")
    run("key", "revoke", "crm")
    assert run("key", "create", "crm").exit_code == 0


def test_why_a_number_was_not_called(run: Run, tmp_path: Path) -> None:
    assert "nothing was ever decided" in run("why", "13800000001").output
    with sqlite3.connect(tmp_path / "agi-bot-data" / "agi-bot.db") as db:
        db.execute(
            "INSERT INTO decisions (task_id, number, at, moment, allowed, rule, reason, until) "
            "VALUES ('t1', '13800000001', 1795492800, 'due', 0, 'window', 'no calls at 03:00', 1795500000)"
        )
        db.execute("INSERT INTO do_not_call VALUES ('own', '13800000001', 1795492800, 'call c1')")
    db.close()
    told = run("why", "13800000001").output
    assert "no, when it came due: window: no calls at 03:00; asked again at" in told
    assert "on the do-not-call list 'own'" in told


def test_dead_letters_are_listed_and_sent_again(run: Run, tmp_path: Path) -> None:
    assert "no letter is dead" in run("outbox", "list").output
    with sqlite3.connect(tmp_path / "agi-bot-data" / "agi-bot.db") as db:
        row = ("a1", "attempt.ended", '{"task_id": "t1", "outcome": "busy"}', "dead", 20, 0, "answered 500", 0)
        names = "key, kind, payload, state, tries, next_at, error, created_at"
        db.execute(f"INSERT INTO outbox ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.close()
    listed = run("outbox", "list").output
    assert "t1" in listed
    assert "answered 500" in listed
    assert run("outbox", "resend").output == "1 will be sent again\n"
    assert run("outbox", "resend").output == "0 will be sent again\n"
    told = run("outbox", "list").output
    assert "1 wait (--state waiting), 1 after a failure: " in told


def test_a_number_that_exists_after_all(run: Run, tmp_path: Path) -> None:
    run("campaign", "status")
    with sqlite3.connect(next(tmp_path.rglob("*.db"))) as db:
        db.executemany(
            "INSERT INTO numbers (number, unallocated) VALUES (?, 1)", [("13800000001",), ("13800000002",), ("1",)]
        )
    assert "does not exist" in run("why", "13800000001").output
    assert run("numbers", "clear", "13800000001", "013800000002").output.startswith("1 numbers")
    assert "does not exist" not in run("why", "13800000001").output
    assert "does not exist" in run("why", "13800000002").output
    assert run("numbers", "clear", "--all").output.startswith("2 numbers")
    assert run("numbers", "clear").exit_code == 2
    assert run("numbers", "clear", "1", "--all").exit_code == 2

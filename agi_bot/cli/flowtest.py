"""Running the dialogue tests of flows, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.cli.authoring import Desk
from agi_bot.flow import BrokenFlow, Flow, Spot, load
from agi_bot.flow.coverage import Coverage, coverage, name_of
from agi_bot.flow.problem import Problem
from agi_bot.flow.testcase import WrittenTest, find_tests, orphans, read_tests
from agi_bot.flow.testrun import TestResult, run_test


@dataclass(slots=True)
class TestReport:
    """The tests of one flow."""

    __test__ = False  # not a test of pytest

    flow: str
    coverage: Coverage
    results: list[TestResult] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    def line(self) -> str:
        """One line: how many passed, what is covered."""
        good = sum(result.passed for result in self.results)
        parts = [f"{group} {done}/{all_}" for group in ("steps", "edges", "ladders") for done, all_ in [self.of(group)]]
        share = f"coverage {self.coverage.percent:.0f} % ({', '.join(parts)})"
        if not self.results:
            return f"{self.flow}: no tests, {share}"
        return f"{self.flow}: {good} of {len(self.results)} passed, {share}"

    def of(self, group: str) -> tuple[int, int]:
        """Covered and all of ``steps``, ``edges``, ``ladders``."""
        return self.coverage.of(group)

    def missed(self) -> list[str]:
        """What no test takes, with its place."""
        return [f"  {spot}: {name_of(point)}" for point, spot in self.coverage.missed()]


async def run_tests(desk: Desk, files: Sequence[Path]) -> list[TestReport]:
    """Rehearse the tests beside each flow of ``files``; sub-flows are rehearsed with the flows that run them."""
    reports = []
    for path in files:
        try:
            flow = load(path)
        except BrokenFlow as broken:
            reports.append(_broken(path, broken))
            continue
        if not flow.script.part:
            reports.append(await _run(desk, flow, path))
    lost = dict.fromkeys(file for path in files for file in orphans(path))
    return [*reports, *(_lost(file) for file in lost)]


def _lost(path: Path) -> TestReport:
    spot = Spot(str(path))
    problem = Problem.at(spot, "lost-tests", "these tests belong to no flow", "name the file like its flow")
    return _broken(path, BrokenFlow([problem]))


async def _run(desk: Desk, flow: Flow, path: Path) -> TestReport:
    report = TestReport(flow.name, coverage(flow, []))
    try:
        tests = [test for file in find_tests(path) for test in read_tests(file)]
    except BrokenFlow as broken:
        failed = _broken(Path(broken.problems[0].file), broken)
        return TestReport(flow.name, report.coverage, failed.results)
    report.results = [await _one(desk, flow, test) for test in tests]
    report.coverage = coverage(flow, [result.trace for result in report.results])
    return report


async def _one(desk: Desk, flow: Flow, test: WrittenTest) -> TestResult:
    if test.flow != flow.name:
        reason = f"{test.spot}: the test is about flow {test.flow}, the file stands beside {flow.name}"
        return TestResult(test.case.name, flow.name, test.spot, [reason])
    return await run_test(test, flow, await desk.interpreter(flow), answering=await desk.answering(flow))


def _broken(path: Path, broken: BrokenFlow) -> TestReport:
    failures = [str(problem) for problem in broken.problems]
    result = TestResult(f"{path.name} can be read", path.stem, Spot(str(path)), failures)
    return TestReport(path.stem, Coverage(path.stem, {}, frozenset()), [result])

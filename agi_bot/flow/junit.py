"""Results of dialogue tests as JUnit XML, for CI servers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from agi_bot.flow.testrun import TestResult

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(results: Iterable[TestResult]) -> str:
    """One ``testsuite`` a flow, one ``testcase`` a test; failures carry the conversation."""
    root = ET.Element("testsuites")
    suites: dict[str, list[TestResult]] = {}
    for result in results:
        suites.setdefault(result.flow, []).append(result)
    for flow, tests in suites.items():
        failed = sum(not test.passed for test in tests)
        counts = {"name": _clean(flow), "tests": str(len(tests)), "failures": str(failed), "errors": "0"}
        suite = ET.SubElement(root, "testsuite", counts)
        for test in tests:
            _case(suite, test)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, test: TestResult) -> None:
    place = {"file": test.spot.file, "line": str(test.spot.line)}
    case = ET.SubElement(suite, "testcase", {"name": _clean(test.name), "classname": _clean(test.flow), **place})
    if not test.passed:
        failure = ET.SubElement(case, "failure", message=_clean(test.failures[0]))
        failure.text = _clean("\n".join([*test.failures, "", *test.talk]))


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)

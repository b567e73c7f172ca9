"""YAML is read as text with places, the same by either parser, and misleading constructs are refused."""

from __future__ import annotations

import re
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.diagnostics import Problem
from mps_bill.documents.yaml_tree import BrokenNode, ListNode, MapNode, Node, ScalarNode, decode, lines_of, read_tree

PARSERS = ["c", "python"]


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    return str(request.param)


def plain(node: Node | None) -> object:
    """Return the tree as Python values, every scalar as its text."""
    match node:
        case MapNode():
            return {entry.key.text: plain(entry.value) for entry in node.entries}
        case ListNode():
            return [plain(part) for part in node.parts]
        case ScalarNode():
            return node.text
        case BrokenNode() | None:
            return None


def found(problems: tuple[Problem, ...]) -> list[tuple[int, int, str]]:
    return [(problem.place.line, problem.place.column, problem.kind.slug) for problem in problems]


@pytest.mark.usefixtures("parser")
def test_scalars_are_their_text() -> None:
    text = "a: 012\nb: 1e-3\nc: 1:30\nd: no\ne: .inf\nf: 0.0650\ng: 0x1F\nh: 2023-11-10\ni: ~\nj: +1_000\nk:\n012: x\n"
    tree, problems = read_tree(text, "f")
    assert problems == ()
    assert plain(tree) == {
        "a": "012", "b": "1e-3", "c": "1:30", "d": "no", "e": ".inf", "f": "0.0650", "g": "0x1F", "h": "2023-11-10",
        "i": "~", "j": "+1_000", "k": "", "012": "x",
    }  # fmt: skip


@pytest.mark.usefixtures("parser")
def test_places_count_characters_and_a_byte_order_mark_is_fine() -> None:
    tree, problems = read_tree('\ufeffa: [1, {漢: "字"}]\r\n# 😀\r\n"b c": \'\'\r\n', "sheet.yaml")
    assert problems == ()
    assert tree is not None
    first, second = tree.entries
    assert isinstance(first.value, ListNode)
    inner = first.value.parts[1]
    assert isinstance(inner, MapNode)
    value = inner.entries[0].value
    assert isinstance(value, ScalarNode)
    assert (str(first.key.place), str(inner.entries[0].key.place), str(value.place), str(second.key.place)) == (
        "sheet.yaml:1:1",
        "sheet.yaml:1:9",
        "sheet.yaml:1:12",
        "sheet.yaml:3:1",
    )
    assert value.quoted
    assert second.value == ScalarNode("", True, second.value.place, second.value.end)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [(3, 1, "duplicate-key")]),
        ('a: 1\n"a": 2\na: 3\n', [(2, 1, "duplicate-key"), (3, 1, "duplicate-key")]),
        ("a: &x 1\n", [(1, 4, "anchor")]),
        ("a: &x {b: c}\nd: &y [e]\n", [(1, 4, "anchor"), (2, 4, "anchor")]),
        ("a: *x\n", [(1, 4, "alias")]),
        ("a: !!int 3\nb: !x {}\nc: ! d\n", [(1, 4, "tag"), (2, 4, "tag"), (3, 4, "tag")]),
        ("a: 1\n---\nb: 2\n", [(2, 1, "several-documents")]),
        ("? [a]\n: b\nc: d\n", [(1, 3, "complex-key")]),
        ("{a: b}: c\n", [(1, 1, "complex-key")]),
        ("<<: {a: b}\nc: d\n", [(1, 1, "merge-key")]),
        ("a:\n\tb: c\n", [(2, 1, "tab")]),
        ("a:\tb\nc: d\te\n", [(1, 3, "tab"), (2, 5, "tab")]),
        ("a: [1, 2\nb: c\n", [(2, 2, "yaml-syntax")]),
        ("a: b: c\n", [(1, 5, "yaml-syntax")]),
        ("a: 'b\n", [(2, 1, "yaml-syntax")]),
        ("a: @b\n", [(1, 4, "yaml-syntax")]),
        ('a: "\\q"\n', [(1, 6, "yaml-syntax")]),
        ("a:\n  b: c\n d: e\n", [(3, 2, "yaml-syntax")]),
        ("a: b\x00\n", [(1, 5, "hidden-character")]),
        ("a: b\x1b\n\x07c: d\n", [(1, 5, "hidden-character"), (2, 1, "hidden-character")]),
        ("a: b\u2028c: d\n", [(1, 5, "hidden-character")]),
        ("a: b\u202ec\n", [(1, 5, "hidden-character")]),
        ("a: \ud800\n", [(1, 4, "hidden-character")]),
        ('a: "b\\0c"\n', [(1, 4, "hidden-character")]),
        ('a: "b\\nc"\n', [(1, 4, "hidden-character")]),
        ("", [(0, 0, "empty-document")]),
        ("# only a comment\n", [(0, 0, "empty-document")]),
        ("- a\n", [(1, 1, "not-a-mapping")]),
        ("a\n", [(1, 1, "not-a-mapping")]),
        ("--- *a\n", [(1, 5, "alias")]),
        ("[" * 40, [(1, 33, "too-deep")]),
    ],
)
def test_what_is_refused(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert found(read_tree(text, "f")[1]) == expected


@pytest.mark.usefixtures("parser")
def test_mistakes_are_collected_and_the_rest_is_read() -> None:
    tree, problems = read_tree("a: &x 1\nb: *x\nc: !!str 2\nd:\t3\na: 4\n<<: {e: f}\ng: 5\n---\nh: 6\n", "f")
    assert [slug for _, _, slug in found(problems)] == [
        "tab", "anchor", "alias", "tag", "duplicate-key", "merge-key", "several-documents",
    ]  # fmt: skip
    assert plain(tree) == {"a": "1", "b": None, "c": "2", "d": "3", "g": "5"}
    assert tree is not None
    assert not tree.whole


def test_a_repeated_key_names_both_places() -> None:
    _, problems = read_tree("a: 1\n  \nb: {c: 1, c: 2}\n", "f.yaml")
    assert [str(problem) for problem in problems] == [
        'f.yaml:3:11: duplicate key "c"; first defined at line 3, column 5 [P101 duplicate-key]'
    ]


def test_a_syntax_error_gives_the_reason_and_the_remedy() -> None:
    _, problems = read_tree("a: [1, 2\nb: c\n", "f")
    assert problems[0].message == (
        "this cannot be read as YAML: expected ',' or ']', but got ':', in the value that begins at line 1, column 4;"
        " a bracket is not closed, or a comma is missing"
    )


def test_messages_cannot_steer_a_terminal() -> None:
    for text in ("a: *\u200fx\n", "&\u200fx a: b\n", "? '\u200f'\n? '\u200f'\n", "a: !\u200f b\n"):
        for problem in read_tree(text, "f")[1]:
            assert problem.message.isprintable(), text


def test_not_utf8() -> None:
    text, problems = decode("a: ü\nbü: ".encode() + b"\xff\n", "f")
    assert text is None
    assert found(problems) == [(2, 5, "not-utf-8")]
    assert decode("\ufeffä".encode(), "f") == ("\ufeffä", ())
    assert found(decode("a: b".encode("utf-16"), "f")[1]) == [(1, 1, "not-utf-8")]


yamlish = st.text(alphabet="ab01:-?,[]{}#&*!|>'\"%@`<.~ \n \t\\\rü\x00\ufeff")


@given(st.one_of(st.text(), yamlish))
def test_no_text_raises_and_a_tree_or_a_problem_comes(text: str) -> None:
    tree, problems = read_tree(text, "f")
    assert tree is not None or problems
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert all(0 <= problem.place.line <= lines for problem in problems)


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    text, problems = decode(data, "f")
    assert (text is None) == bool(problems)


@given(yamlish)
def test_both_parsers_agree(text: str) -> None:
    if not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    with pytest.MonkeyPatch.context() as patch:
        with_c = read_tree(text, "f")
        patch.delattr(yaml, "CSafeLoader")
        with_python = read_tree(text, "f")
    # The parsers describe a broken tag or escape differently, but they agree on whether something is wrong.
    assert bool(with_c[1]) == bool(with_python[1])
    if not with_c[1]:
        assert plain(with_c[0]) == plain(with_python[0])


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("text", ["a: " + "[" * 20_000, "a: " + "[" * 20_000 + "]" * 20_000, "a: " + "{b: " * 20_000])
def test_nesting_that_is_too_deep_is_not_read_further(text: str) -> None:
    """The parser's time grows with the square of the depth: it would be minutes for these."""
    started = time.monotonic()
    _, problems = read_tree(text, "f")
    assert [problem.kind.slug for problem in problems] == ["too-deep"]
    assert problems[0].place.column == text.index(text[3]) + 1 + 31 * (1 if text[3] == "[" else 4)
    assert time.monotonic() - started < 5


def test_lines_are_counted_as_in_places() -> None:
    assert lines_of("a\u2028b\x0cc\x85d\ne\r\nf\rg") == ["a\u2028b\x0cc\x85d", "e", "f", "g"]


ENDS = """\
a: plain words   # a comment
"b": 'it''s'
c: "标准\\u0031 😀"
d: {x: [1, 2
  ], y: 3}   # behind
e:
- one
- two: 2   # the last

# of the next
f:
  g: several
    lines
"""


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_a_node_ends_with_its_text(eol: str, loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This also holds after characters of several bytes, for line ends of two characters, and with either parser."""
    monkeypatch.setattr(yaml, "CSafeLoader", getattr(yaml, loader))
    text = ENDS.replace("\n", eol)
    root, problems = read_tree(text, "f")
    assert root is not None
    assert not problems
    assert text[: root.end] == text.removesuffix(eol)
    starts = [0, *(match.end() for match in re.finditer(eol, text))]

    def shown(node: Node) -> str:
        return text[starts[node.place.line - 1] + node.place.column - 1 : node.end]

    assert [shown(entry.key) for entry in root.entries] == ["a", '"b"', "c", "d", "e", "f"]
    assert [shown(entry.value) for entry in root.entries] == [
        "plain words",
        "'it''s'",
        '"标准\\u0031 😀"',
        f"{{x: [1, 2{eol}  ], y: 3}}",
        f"- one{eol}- two: 2",
        f"g: several{eol}    lines",
    ]

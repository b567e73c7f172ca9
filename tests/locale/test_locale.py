"""Every text that people read is translated, and nothing that programs read is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Message

from mps_bill.core.language import ENGLISH, LANGUAGES, current, language, tr, tr_many
from mps_bill.view.columns import Column
from tests.locale import catalogue
from tests.locale.catalogue import called, languages, literals, path_of, sources, texts

#: What of the views and formats is in English: findings, tests and problems, for editors, CI servers and standard error.
ENGLISH_MODULES = (
    *("findings_view", "case_view", "focus_view", "journal", "books"),
    *("formats", "beancount", "hledger", "github", "junit", "sarif"),
)
#: Pages have tags between their texts; `test_a_page_has_no_word_of_another_language` checks them.
PAGES = ("html", "html_charts", "html_tables")

ENGLISH_FUNCTIONS = (
    *("_records", "document", "TooLarge"),
    *("lines_of_others", "_group_line", "notices", "_why_not_charged"),
)
#: Words that begin with a capital letter and are names, not texts.
NAMES = {"Lines", " to "}
_PROSE = re.compile(r"[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}")
_WORD = re.compile(r"[A-Za-z]*[a-z]{2,}")


def messages(name: str) -> list[Message]:
    return [message for message in catalogue.catalogue(name) if message.id]


def test_the_languages_are_those_with_a_catalogue() -> None:
    assert (ENGLISH, *languages()) == LANGUAGES


@pytest.mark.parametrize("name", languages())
def test_no_text_is_missing_or_left_over(name: str) -> None:
    """`make translations` brings the catalogue up to date; what is new then wants its translation."""
    wanted = {(found.text, found.context) for found in texts()}
    kept = {(_forms(message)[0], message.context or "") for message in messages(name)}
    assert wanted - kept == set()
    assert kept - wanted == set()
    empty = [message.id for message in messages(name) if not all(_strings(message))]
    assert not empty


@pytest.mark.parametrize("name", languages())
def test_no_translation_is_a_guess(name: str) -> None:
    assert not [message.id for message in messages(name) if message.fuzzy]


@pytest.mark.parametrize("name", languages())
def test_a_translation_has_the_values_of_its_text(name: str) -> None:
    """All of them, and no other; a singular may say its number in words."""
    for message in messages(name):
        forms = [fields(form) for form in _forms(message)]
        for string in _strings(message):
            assert fields(string) in forms or fields(string) == set().union(*forms), message.id


@pytest.mark.parametrize("name", languages())
def test_the_program_reads_the_catalogue(name: str) -> None:
    assert path_of(name, "po").read_bytes() == catalogue.po(catalogue.updated(name))
    assert path_of(name, "mo").read_bytes() == catalogue.mo(catalogue.updated(name))


def test_texts_are_translated_when_they_are_shown() -> None:
    """Not when a module is loaded, because the language is asked for later."""
    early = [
        f"{file}:{node.lineno}"
        for file, tree in sources()
        for node in _outside_functions(tree)
        if isinstance(node, ast.Call) and called(node) in ("tr", "tr_many")
    ]
    assert not early


def test_every_text_of_a_view_is_translated() -> None:
    """Text that people read is in `tr`, `tr_many`, `mark` or the title of a column."""
    found = [
        f"{file}:{node.lineno}: {text!r}"
        for file, tree in sources()
        if file.startswith(("mps_bill/view/", "mps_bill/render/"))
        if file.split("/")[-1].removesuffix(".py") not in (*ENGLISH_MODULES, *PAGES)
        for node, text in _unmarked(tree)
    ]
    assert not found, "\n".join(found)


def test_unmarked_text_is_found() -> None:
    """The test above can fail: by a sentence, a title, and text around a value."""
    source = "def f(n):\n    '''Says so.'''\n    return Note('it is so'), Table('Total'), f'{n} rows', {'key': n}, tr('Total')"
    assert [text for _, text in _unmarked(ast.parse(source))] == ["it is so", "Total", " rows"]


def test_a_text_is_shown_in_the_language_that_is_asked_for() -> None:
    assert tr("Payable") == Column("payable").label == "Payable"
    with language("zh"):
        assert current() == "zh"
        assert tr("Payable") == Column("payable").label == "应付金额"
        assert tr("account {id}", id="a-1") == "账号 a-1"
        assert tr_many("{n} bill", "{n} bills", 1) == "1 张账单"
        assert tr("a text that nobody has translated: {n}", n=3) == "a text that nobody has translated: 3"
    assert current() == ENGLISH
    assert tr_many("{n} bill", "{n} bills", 1) == "1 bill"
    assert tr_many("{n} bill", "{n} bills", 2) == "2 bills"


def test_the_same_words_in_another_sense_are_another_text() -> None:
    with language("zh"):
        assert tr("Vouchers") == "代金券"
        assert tr("Vouchers", sense="paid") == "代金券抵扣"
        assert tr("Payable", sense="of something else") == "应付金额"


def _forms(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def _strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def fields(text: str) -> set[str]:
    """The names of the values in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.Lambda)):
            yield child
            yield from _outside_functions(child)


def _unmarked(node: ast.AST) -> Iterator[tuple[ast.Constant, str]]:
    """Constants that read like prose, outside of what marks texts, of docstrings, and of keys."""
    if isinstance(node, ast.Call) and called(node) in ("tr", "tr_many", "mark", "Column", "columns_of"):
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if not literals(argument):
                yield from _unmarked(argument)
        return
    if isinstance(node, (ast.FunctionDef, ast.Raise)) and getattr(node, "name", "TooLarge") in ENGLISH_FUNCTIONS:
        return
    if isinstance(node, (ast.Compare, ast.Subscript, ast.MatchValue)):
        return
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                if set(_WORD.findall(part.value)) - NAMES:
                    yield part, part.value
            else:
                yield from _unmarked(part)
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and _PROSE.search(node.value) and node.value not in NAMES:
            yield node, node.value
        return
    for child in _children(node):
        yield from _unmarked(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a node but docstrings, keys of dictionaries, titles of columns and types."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or (isinstance(node, ast.Dict) and name == "keys"):
            continue
        if isinstance(node, ast.keyword) and node.arg == "titles":
            continue
        if isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "titles" for one in node.targets
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not is_docstring:
                yield child

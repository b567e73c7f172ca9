"""The texts that people read in their language: found in the source, and kept in a catalogue for each language.

    python tests/locale/catalogue.py --rewrite

brings every `mps_bill/locale/*/LC_MESSAGES/mps_bill.po` up to date (a new text without a translation, an old one dropped) and
compiles it into the `.mo` in the same folder, which the program reads.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from mps_bill.ask.summaries import GROUPINGS, PERIODS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mps_bill"
LOCALE = PACKAGE / "locale"
#: Its columns are those of a standard, in no language.
_OTHERS = ("focus_view.py", "language.py")
_TABLES = ("mps_bill/view/", "mps_bill/render/")


@dataclass(frozen=True, slots=True)
class Found:
    """A text in the source. `plural` is its form for many; `context` tells it from the same words in another sense."""

    text: str
    plural: str
    context: str
    file: str
    line: int


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name not in _OTHERS:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def texts() -> list[Found]:
    """Return every text of the package that is translated: arguments of `tr`, `tr_many` and `mark`, and titles of columns. The
    columns of groupings are made from their names."""
    groupings = [
        Found(title_of(name), "", "time" if name in PERIODS else "", "mps_bill/ask/summaries.py", 0)
        for name in GROUPINGS
    ]
    return groupings + [
        Found(text, plural, context, file, node.lineno)
        for file, tree in sources()
        for node in ast.walk(tree)
        for text, plural, context in (*_texts_of(node), *(_titles_of(node) if file.startswith(_TABLES) else ()))
        if text
    ]


def _texts_of(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, ast.Call) and called(node) in ("tr", "said", "mark"):
        given = [*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg == "sense")]
        senses = [sense for argument in given for sense in literals(argument)]
        if called(node) == "mark" or not senses:
            senses.append("")
        yield from ((text, "", sense) for text in literals(node.args[0]) for sense in senses)
    elif isinstance(node, ast.Call) and called(node) == "tr_many":
        one, many = (literal(argument) for argument in node.args[:2])
        yield one, many, ""


def _titles_of(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    """The titles of columns of tables."""
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "titles" for one in node.targets):
        yield from ((text, "", "") for text in _titles(node.value))
    if not isinstance(node, ast.Call):
        return
    name, named = called(node), {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "Column":
        title = node.args[2] if len(node.args) > 2 else named.get("title")
        context = literal(named["sense"]) if "sense" in named else ""
        for text in literals(node.args[0]) if title is None else literals(title):
            yield (title_of(text) if title is None else text), "", context
    elif name == "columns_of":
        yield from ((title_of(literal(key)), "", "") for key in node.args)
    if "titles" in named:
        yield from ((text, "", "") for text in _titles(named["titles"]))


def _titles(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from literals(value)


def title_of(key: str) -> str:
    """The title of a column that has none of its own, as `Column.english` makes it."""
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def called(node: ast.Call) -> str:
    return (
        node.func.id
        if isinstance(node.func, ast.Name)
        else node.func.attr
        if isinstance(node.func, ast.Attribute)
        else ""
    )


def literals(node: ast.AST) -> list[str]:
    """The text that an expression is, or either of two; none where it is made elsewhere."""
    if isinstance(node, ast.IfExp):
        return [*literals(node.body), *literals(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def literal(node: ast.AST) -> str:
    (text,) = literals(node)
    return text


class _Catalog(Catalog):
    """A catalogue whose head says no more than is needed, and nothing that changes by itself."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
        ]


def template() -> Catalog:
    catalog = Catalog(charset="utf-8")
    for found in texts():
        id_ = (found.text, found.plural) if found.plural else found.text
        catalog.add(id_, locations=[(found.file, 0)], context=found.context or None)
    return catalog


def catalogue(language: str) -> Catalog:
    """The translations of a language as they are kept."""
    path = path_of(language, "po")
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, language)


def path_of(language: str, suffix: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"mps_bill.{suffix}"


def updated(language: str) -> Catalog:
    """The translations of a language for the texts of now, by the alphabet: two branches then seldom change one place."""
    kept, new = catalogue(language), _Catalog(language, charset="utf-8", fuzzy=False)
    new.header_comment = (
        f"# What people read of mps-bill, in {language}. `make translations` adds texts and compiles this file."
    )
    for message in template():
        if message.id:
            old = kept.get(message.id, message.context)
            string = old.string if old else ("",) * new.num_plurals if message.pluralizable else ""
            new.add(message.id, string, locations=message.locations, context=message.context)
    return new


def po(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=130, no_location=True, sort_output=True)
    return buffer.getvalue()


def mo(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def languages() -> list[str]:
    return sorted(path.name for path in LOCALE.iterdir() if path.is_dir())


def main() -> int:
    missing = False
    for language in languages():
        catalog = updated(language)
        for message in catalog:
            if message.id and not any(message.string):
                print(f"{path_of(language, 'po')}: no translation of {message.id!r}", file=sys.stderr)
                missing = True
        if "--rewrite" in sys.argv[1:]:
            path_of(language, "po").write_bytes(po(catalog))
            path_of(language, "mo").write_bytes(mo(catalog))
    return int(missing)


if __name__ == "__main__":
    sys.exit(main())

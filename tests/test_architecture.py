"""The architecture: packages import only those below them, pure packages do no input or output, and starting up stays light."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "mps_bill"

#: From the top. A package may import from itself and from those below it; packages of one line do not know each other.
PACKAGES = (
    ("__main__",),
    ("cli", "api"),
    ("config",),
    ("render",),
    ("view",),
    ("ask",),
    ("pipeline",),
    ("reconcile",),
    ("settlement",),
    ("rating",),
    ("profiles",),
    ("metering",),
    ("price_sheet",),
    ("fetch",),
    ("documents",),
    ("core",),
)
_LEVEL = {package: level for level, packages in enumerate(PACKAGES) for package in packages}

PURE_PACKAGES = ("core", "documents", "rating", "settlement")
#: The modules of pure packages that read from outside: the YAML parser, files, and the account.
AT_THE_EDGE = (
    "mps_bill.documents.yaml_tree",
    "mps_bill.documents.read_document",
    "mps_bill.core.files",
    "mps_bill.core.language",
    "mps_bill.settlement.save",
)
#: All that a pure module may import of Python itself.
PURE_IMPORTS = {
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "datetime", "decimal", "difflib", "enum",
    "fractions", "functools", "hashlib", "itertools", "math", "operator", "re", "types", "typing",
    "unicodedata",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "float", "now", "today", "utcnow", "time"}

#: How alike two words must be for a near miss; no figure of a bill.
KNOWN_FLOATS = [("mps_bill.core.diagnostics", 0.6), ("mps_bill.core.diagnostics", 0.75)]

HEAVY = {
    "duckdb",
    "pydantic",
    "rich",
    "yaml",
    "zstandard",
    "gzip",
    "openpyxl",
    "xlsxwriter",
    "pyspark",
    "pyarrow",
    "polars",
    "jinja2",
    "alibabacloud_tea_openapi",
    "alibabacloud_credentials",
    "requests",
    "aiohttp",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the package by its name, parsed."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def package_of(module: str) -> str:
    """`rating` for `mps_bill.rating.lines`; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, also inside functions and for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole module"
            assert node.module
            if node.module == "mps_bill":
                yield from (f"mps_bill.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_every_package_has_its_place() -> None:
    found = {package_of(name) for name, _ in modules()} - {""}
    assert found <= _LEVEL.keys(), "a new package needs its place in PACKAGES, and in ARCHITECTURE.md"


def test_the_table_of_packages_is_the_list_that_is_tested() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", page, re.MULTILINE)
    assert table == [package for packages in PACKAGES for package in packages if package != "__main__"]


def test_no_source_of_an_account_is_known_by_name() -> None:
    """Everything goes through `SOURCES`, except advice on what to buy, which is about resource plans."""
    sources = {name for name, _ in modules() if name.startswith("mps_bill.settlement.sources.")}
    known = {
        (name, found)
        for name, tree in modules()
        for found in imports_of(tree)
        if found in sources - {"mps_bill.settlement.sources.payment_source"}
        and not name.startswith(("mps_bill.settlement.sources", "mps_bill.ask.advise."))
    }
    assert not known


def test_no_two_files_share_a_name() -> None:
    """A name says where to look; a reader does not need the folder to tell two files apart."""
    names = [path.stem for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    assert not {name for name in names if names.count(name) > 1}


#: What others than the package call: the library of the command line.
CALLED_FROM_OUTSIDE = {"format_options", "format_epilog"}


def unused_names(sources: Iterable[str]) -> set[str]:
    """The functions and classes that some sources mention only where they are defined."""
    sources = list(sources)
    words = Counter(re.findall(r"\w+", "\n".join(sources)))
    nodes = (node for source in sources for node in ast.walk(ast.parse(source)))
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {name for name in names if words[name] == names.count(name) and not name.startswith("__")}


def test_nothing_is_there_for_tests_alone() -> None:
    assert unused_names(["def one(): ...", "def two():\n    one()"]) == {"two"}
    found = unused_names(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert found == CALLED_FROM_OUTSIDE


def test_imports_point_down() -> None:
    wrong = []
    for name, tree in modules():
        for imported in imports_of(tree):
            if not imported.startswith("mps_bill.") or not package_of(name):
                continue
            above, below = package_of(name), package_of(imported)
            if above != below and below != "__version__" and _LEVEL[above] >= _LEVEL[below]:
                wrong.append(f"{name} imports {imported}")
    assert not wrong


def pure_modules() -> list[tuple[str, ast.Module]]:
    return [(name, tree) for name, tree in modules() if package_of(name) in PURE_PACKAGES and name not in AT_THE_EDGE]


def test_pure_packages_import_nothing_with_side_effects() -> None:
    found = pure_modules()
    assert len(found) > 15
    wrong = [
        f"{name} imports {imported}"
        for name, tree in found
        for imported in imports_of(tree)
        if not imported.startswith("mps_bill.") and imported not in PURE_IMPORTS
    ]
    assert not wrong


def test_pure_packages_call_nothing_with_side_effects_and_make_no_float() -> None:
    wrong = []
    for name, tree in pure_modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in IMPURE_CALLS:
                    wrong.append(f"{name}:{node.lineno} calls {called}")
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, float)
                and (name, node.value) not in KNOWN_FLOATS
            ):
                wrong.append(f"{name}:{node.lineno} holds the float {node.value}")
    assert not wrong


def test_an_assert_only_narrows_a_type() -> None:
    """Python leaves asserts out when it optimises, so what must hold is a `law`."""
    wrong = []
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert) and not (node.msg is None and _narrows(node.test)):
                wrong.append(f"{name}:{node.lineno} asserts {ast.unparse(node.test)}")
    assert not wrong


def _narrows(test: ast.expr) -> bool:
    return bool(re.fullmatch(r"isinstance\([\w.]+, [\w.]+\)|[\w.]+ is not None", ast.unparse(test)))


def test_a_data_class_says_what_it_is() -> None:
    """To readers; and Python makes a text for one that does not, which takes as long as making the class."""
    silent = [
        f"{name}.{node.name}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        and ast.get_docstring(node) is None
    ]
    assert not silent


def loaded_by(code: str, folder: Path) -> set[str]:
    """The packages that a fresh Python has loaded after running `code`."""
    return {name.partition(".")[0] for name in modules_loaded_by(code, folder)}


def modules_loaded_by(code: str, folder: Path) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return set(done.stderr.split("\n"))


def test_starting_up_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = loaded_by("from mps_bill.cli.app import app_for; app_for()", tmp_path)
    assert "mps_bill" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    ("format_", "needed"), [("csv", set()), ("json", set()), ("markdown", set()), ("table", set())]
)
def test_a_small_csv_is_billed_without_an_engine(format_: str, needed: set[str], tmp_path: Path) -> None:
    usage = ROOT / "samples" / "month-turn.csv"
    words = ["bill", str(usage), "--prices", "mps-china", "--format", format_]
    loaded = loaded_by(f"from mps_bill.cli import run\nassert run({words!r}) == 0", tmp_path)
    assert loaded & HEAVY == {"yaml"} | needed


@pytest.mark.parametrize(
    ("format_", "modules"), [("table", ("terminal", "table_layout", "folding")), ("csv", ("csv",)), ("json", ("json",))]
)
def test_a_format_loads_no_other(format_: str, modules: tuple[str, ...], tmp_path: Path) -> None:
    words = ["bill", str(ROOT / "samples" / "month-turn.csv"), "--prices", "mps-china", "--format", format_]
    loaded = modules_loaded_by(f"from mps_bill.cli import run\nassert run({words!r}) == 0", tmp_path)
    assert {name for name in loaded if name.startswith("mps_bill.render.")} == {
        f"mps_bill.render.{name}" for name in ("formats", *modules, "cells")
    }
    assert not {name for name in loaded if name.startswith("mps_bill.settlement")}
    views = (
        "run_report",
        "focus_view",
        "settle_view",
        "settle_records",
        "accounts_view",
    )
    assert not {f"mps_bill.view.{name}" for name in views} & loaded


#: Packages, and what else of the package is not needed to bill a small file; every run would pay for it.
NOT_FOR_A_SMALL_BILL = (
    *(f"mps_bill.{package}" for package in ("api", "fetch", "reconcile", "settlement", "profiles")),
    *(f"mps_bill.price_sheet.{name}" for name in ("checks", "check_sheets", "sheet_diff", "rises")),
    *(f"mps_bill.metering.{name}" for name in ("duckdb", "spark", "sql", "parquet")),
    *(f"mps_bill.config.{name}" for name in ("books", "file")),
    *(
        f"mps_bill.cli.{name}"
        for name in ("settle", "explain", "reconcile", "compare", "prices", "usage", "fetch", "help")
    ),
)
#: What starts, and how many modules of the package it may load: about a tenth more than it did when this was written. Most of
#: the time of a small run goes into modules, so import what only some runs need in the function that needs it.
STARTS = {
    "--version": 26,
    "": 26,
    "--help": 54,
    "bill --help": 31,
    "config show": 35,
    "prices list": 75,
    "bill samples/month-turn.csv -p mps-china": 110,
    "settle samples/studio-2023-11-10.csv -p mps-china -a samples/account-studio-a.yaml": 140,
}


@pytest.mark.parametrize("words", STARTS)
def test_a_small_run_loads_few_modules(words: str, tmp_path: Path) -> None:
    given = [str(ROOT / word) if word.startswith("samples/") else word for word in words.split()]
    code = f"from mps_bill.cli import run\nassert run({given!r}) == 0"
    loaded = modules_loaded_by(code, tmp_path)
    ours = {name for name in loaded if name.startswith("mps_bill.")}
    assert not {name.partition(".")[0] for name in loaded} & (HEAVY - {"yaml"})
    assert len(ours) <= STARTS[words]
    if words.startswith("bill"):
        assert not {name for name in ours if name.startswith(NOT_FOR_A_SMALL_BILL)}


@pytest.mark.parametrize(
    "environment",
    [
        {"_MPS_BILL_COMPLETE": "complete_bash", "COMP_WORDS": "mps-bill bill --pr", "COMP_CWORD": "2"},
        {"_MPS_BILL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "mps-bill bill --pr"},
    ],
)
def test_a_shell_that_asks_about_a_command_loads_no_other(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        f"import os\nos.environ.update({environment!r})\nfrom mps_bill.cli import run\n"
        "try:\n    run([])\nexcept SystemExit:\n    pass"
    )
    loaded = modules_loaded_by(code, tmp_path)
    assert "mps_bill.cli.bill" in loaded
    assert not {f"mps_bill.cli.{name}" for name in ("settle", "prices", "usage", "compare")} & loaded
    assert "pydantic" not in loaded


_NOT_OURS = ("__pycache__", "build", "dist", "node_modules")


def test_the_repository_speaks_of_itself_alone() -> None:
    """Nothing points to papers or places that its readers do not have."""
    foreign = [
        *(f"{name}.md" for name in ("DESIGN", "DOMAIN", "HABITS", "PERFORMANCE", "DEVELOPERS")),
        *("/".join(("", *parts)) for parts in (("work", "main"), ("work", "shared"), ("tmp", "venv"), ("root", ""))),
        *("".join(parts) for parts in (("cla", "ude"), ("anth", "ropic"), ("chat", "gpt"), ("co-pil", "ot"))),
    ]
    wrong = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not name.startswith((".", *_NOT_OURS))]
        # A worktree has a file that names its repository.
        for name in (name for name in names if name != ".git"):
            path = Path(folder, name)
            text = path.read_bytes().decode("utf-8", "replace").casefold()
            wrong += [f"{path.relative_to(ROOT)} has {word!r}" for word in foreign if word.casefold() in text]
    assert not wrong

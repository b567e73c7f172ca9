"""Standard streams of every kind: closed, full, of another encoding; and signals that end a run."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import pytest

from benchmarks.generate import generate
from mps_bill.cli import run
from tests.cli.test_process import RUN
from tests.conftest import ROOT

BILL = ["bill", "samples/month-turn.csv", "--prices", "mps-china", "--quiet"]
ACCOUNT = "format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: 1000.00\n"


def shell(redirect: str, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the program from a shell that redirects its streams; standard output and error are pipes unless redirected."""
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "PYTHONIOENCODING")}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirect}', "bash", *RUN, *words],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "gbk"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
def test_files_and_pipes_are_utf_8_whatever_the_locale(variables: dict[str, str]) -> None:
    wanted = shell("", *BILL)
    assert "─" in wanted.stdout.decode("utf-8")
    done = shell("", *BILL, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, wanted.stdout, b"")


@pytest.mark.parametrize("closed", [one for size in (1, 2, 3) for one in combinations(("<&-", ">&-", "2>&-"), size)])
def test_a_closed_stream_is_like_the_null_device(closed: tuple[str, ...], tmp_path: Path) -> None:
    account, result = tmp_path / "account.yaml", tmp_path / "result.json"
    words = ["settle", BILL[1], "--prices", "mps-china", "--account", str(account), "--in-place"]
    account.write_text(ACCOUNT)
    to_file = shell(" ".join(closed), *words, "--output", str(result))
    assert to_file.returncode == 0
    assert "balance: 620.22\n" in account.read_text()
    assert result.read_text().startswith("{\n")
    assert result.read_text().endswith("}\n")

    account.write_text(ACCOUNT)
    done = shell(" ".join(closed), *words, "--format", "json")
    assert done.returncode == 0
    assert "balance: 620.22\n" in account.read_text()
    # No message lands in the result, and no result among the messages.
    assert done.stdout == (b"" if ">&-" in closed else result.read_bytes())
    assert done.stderr == (b"" if "2>&-" in closed else f"Saved the account to {account}.\n".encode())


def test_closed_standard_input_is_an_empty_file() -> None:
    done = shell("<&-", "bill", "-", "--prices", "mps-china")
    assert done.returncode == 3
    assert b"the file is empty" in done.stderr


@pytest.mark.parametrize(("encoding", "rule"), [("ascii", "-----"), ("latin-1", "-----"), ("utf-8", "─────")])
def test_a_terminal_that_cannot_show_a_rule_draws_hyphens(encoding: str, rule: str) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "TERM": "dumb"}
    process = subprocess.Popen([*RUN, *BILL], cwd=ROOT, env=environment, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert process.communicate()[1] == b""
    assert process.returncode == 0
    assert rule in shown.decode(encoding)
    assert b"\\u" not in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # What a terminal says at the end.
        return b""


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A device that accepts no byte: a copy of the system's `full`."""
    device = tmp_path / "full"
    try:
        os.mknod(device, 0o666 | 0o020000, os.makedev(1, 7))
        device.open("wb").close()
    except OSError:
        pytest.skip("devices cannot be made here")
    return device


@pytest.mark.parametrize("words", [["--version"], ["--help"], BILL, [*BILL, "-f", "json"], [*BILL, "-f", "xlsx"]])
def test_full_standard_output_is_one_message_and_not_a_wrong_command_line(full: Path, words: list[str]) -> None:
    done = shell(f"> {full}", *words)
    assert done.returncode == 3
    assert done.stderr.count(b"\n") == 1
    assert b"No space left on device" in done.stderr


def test_full_standard_error_keeps_nobody_from_the_result(full: Path) -> None:
    done = shell(f"2> {full}", *BILL[:-1], "--format", "csv")
    assert (done.returncode, done.stderr) == (0, b"")
    assert shell(f"2> {full}", "bill", "gone.csv", "--prices", "mps-china").returncode == 3


@pytest.mark.parametrize(
    "words", [BILL[:2], ["settle", BILL[1], "-a", "ACCOUNT"], ["--help"], ["prices", "check", "mps-china", "-q"]]
)
def test_a_working_folder_that_is_gone(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "account.yaml").write_text(ACCOUNT)
    words = [
        word.replace("samples", str(ROOT / "samples")).replace("ACCOUNT", str(tmp_path / "account.yaml"))
        for word in words
    ]
    prices = ["--prices", "mps-china"] if words[0] in ("bill", "settle") else []
    command = ["bash", "-c", 'cd "$0" && rmdir "$0" && "$@"', str(tmp_path / "gone"), *RUN, *words, *prices]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    relative = subprocess.run(
        [*command, "--output", "x.txt"], env=environment, capture_output=True, text=True, check=False
    )
    assert relative.returncode != 70


def _busy(tmp_path: Path, *more: str, nohup: bool = False) -> subprocess.Popen[str]:
    """The program in the middle of a run that takes seconds."""
    usage, temporary = tmp_path / "large.csv", tmp_path / "temporary"
    temporary.mkdir()
    generate(2_000_000, usage, threads=2)
    words = [
        "bill",
        str(usage),
        "-p",
        "mps-china",
        "--temp-dir",
        str(temporary),
        "-o",
        str(tmp_path / "out.csv"),
        *more,
    ]
    run = subprocess.Popen(
        [*(["nohup"] if nohup else []), *RUN, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    started = time.monotonic()
    while not any(temporary.glob("*/*")) and len(list(temporary.iterdir())) < 2:
        assert run.poll() is None, "the run was over before it could be interrupted"
        assert time.monotonic() - started < 60
        time.sleep(0.01)
    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_signals_end_a_run_and_leave_nothing_behind(number: int, code: int, tmp_path: Path) -> None:
    run = _busy(tmp_path, "--rejects", str(tmp_path / "rejects.csv"))
    run.send_signal(number)
    _, said = run.communicate(timeout=60)
    assert run.returncode == code, said
    assert "Interrupted; nothing was charged." in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.csv", "temporary"]
    assert not list((tmp_path / "temporary").iterdir())


def test_files_that_a_killed_run_left_are_removed_by_the_next(tmp_path: Path) -> None:
    run = _busy(tmp_path, "--rejects", str(tmp_path / "rejects.csv"))
    # While it lives, another run sweeps nothing of it.
    others = ["--output", str(tmp_path / "other.csv"), "--temp-dir", str(tmp_path / "temporary")]
    run.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WNOWAIT)
    alive = {path.name for path in (*tmp_path.glob(".mps-bill-*"), *(tmp_path / "temporary").iterdir())}
    assert any(name.startswith(".mps-bill-") for name in alive)
    assert shell("", *BILL, *others).returncode == 0
    assert {path.name for path in (*tmp_path.glob(".mps-bill-*"), *(tmp_path / "temporary").iterdir())} == alive
    run.kill()
    run.communicate(timeout=60)
    assert shell("", *BILL, *others).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.csv", "other.csv", "temporary"]
    assert not list((tmp_path / "temporary").iterdir())


def _ended(before: str, *words: str) -> tuple[int, str]:
    """Exit code and standard error of the program behind some lines of Python."""
    code = f"import atexit, os, signal, sys\n{before}\nfrom mps_bill.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
@pytest.mark.parametrize("module", ["mps_bill.cli.streams", "mps_bill.cli.app", "mps_bill.cli.bill"])
def test_a_signal_while_the_program_starts(module: str, name: str, code: int) -> None:
    """It arrives while a module is imported, before any command runs."""
    finder = (
        f"class Finder:\n def find_spec(self, name, *_):\n  if name == {module!r}: os.kill(os.getpid(), signal.{name})\n"
        "sys.meta_path.insert(0, Finder())"
    )
    assert _ended(finder, *BILL) == (code, "Interrupted; nothing was charged.\n")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_after_the_end_of_a_run_changes_nothing(name: str) -> None:
    assert _ended(f"atexit.register(lambda: os.kill(os.getpid(), signal.{name}))", *BILL) == (0, "")


@pytest.mark.parametrize(
    "words", [["bill", "x" * 300 + ".csv", "-p", "mps-china"], ["bill", *BILL[1:], "-p", "y" * 300]]
)
def test_a_name_that_no_file_can_have_is_a_message(words: list[str]) -> None:
    done = shell("", *words)
    assert done.returncode == 3
    assert b"bug" not in done.stderr


def test_a_folder_that_may_not_be_entered_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr("mps_bill.price_sheet.find.os.path.isdir", refuse)
    assert run(["bill", "samples/month-turn.csv", "--prices", "closed"]) == 3
    assert "closed cannot be used: Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["bill", *BILL[1:2], "-p"], ["prices", "show"], ["prices", "test"], ["prices", "check"]]
)
def test_a_name_in_a_message_cannot_steer_a_terminal(words: list[str]) -> None:
    done = shell("", *words, "e\x1b[31mvil\n.yaml")
    assert done.returncode in (1, 3)
    assert b"\x1b" not in done.stderr + done.stdout
    assert b"evil" not in done.stderr


def test_a_name_of_any_bytes_has_a_place_in_sarif(tmp_path: Path) -> None:
    sheet = os.path.relpath(tmp_path, ROOT).encode() + b"/sh\xe9.yaml"
    Path(os.fsdecode(tmp_path / "x")).parent.joinpath(os.fsdecode(b"sh\xe9.yaml")).write_text("format: x\n")
    done = shell("", "prices", "check", os.fsdecode(sheet), "-f", "sarif")
    assert done.returncode == 1
    assert b"sh%E9.yaml" in done.stdout

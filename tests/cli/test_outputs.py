"""No command writes over a file that it reads, or two results to one file; and it says so before it writes anything."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.cli.exit_codes import WRONG_COMMAND_LINE
from tests.cli.test_process import RUN
from tests.conftest import ROOT
from tests.kit import row, usage_text

ACCOUNT = "format: mps-bill/account/1\nid: studio-a\ncurrency: CNY\nbalance: 10.00\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "sheet.yaml").write_text((ROOT / "pricing" / "mps-china.yaml").read_text())
    (tmp_path / "usage-1.csv").write_text(usage_text([row(), row(job_id="bad", quantity="ten")]))
    (tmp_path / "account.yaml").write_text(ACCOUNT)
    (tmp_path / "link.csv").symlink_to("usage-1.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "bill": ["bill", "usage-*.csv"],
    "usage check": ["usage", "check", "usage-*.csv"],
    "explain": ["explain", "usage-*.csv", "--job", "j-1", "-a", "account.yaml"],
    "settle": ["settle", "usage-*.csv", "-a", "account.yaml"],
    "compare": ["compare", "usage-*.csv", "--account", "account.yaml"],
    "reconcile": [
        "reconcile",
        "usage-*.csv",
        "-b",
        str(ROOT / "tests/golden/reconcile/every-class/export.csv"),
        "-a",
        "account.yaml",
    ],
    "plans advise": ["plans", "advise", "usage-*.csv", "--packs", "mps-china-packs", "-a", "account.yaml"],
}
WITH_ACCOUNT = [name for name, words in COMMANDS.items() if "account.yaml" in words]


def refused(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    before = contents(folder)
    assert run(words) == WRONG_COMMAND_LINE
    assert contents(folder) == before
    out, err = capsys.readouterr()
    assert out == ""
    return " ".join(err.split())


@pytest.mark.parametrize("option", ["--output", "--rejects"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("usage-1.csv", "usage usage-1.csv"),
        ("./prices/../usage-1.csv", "usage usage-1.csv"),
        ("link.csv", "usage usage-1.csv"),
        ("prices/sheet.yaml", "--prices prices/sheet.yaml"),
        ("account.yaml", "--account account.yaml"),
    ],
)
def test_an_input_is_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str, command: str, path: str, other: str
) -> None:
    if other.startswith("--account") and command not in WITH_ACCOUNT:
        pytest.skip("it reads no account")
    words = [*COMMANDS[command], "-p", "prices", "-f", "json", option, path]
    said = refused(folder, capsys, words)
    assert f"{option}: {path} is also given as {other}; name another file" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_two_results_are_not_written_to_one_file(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    words = [*COMMANDS[command], "-p", "prices", "-f", "json", "--output", "new.csv", "--rejects", "./new.csv"]
    assert "--rejects: ./new.csv is also given as --output new.csv; name another file" in refused(folder, capsys, words)


def test_converted_usage_is_not_written_over_its_source(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["usage", "convert", "usage-*.csv", "--profile", "profile.yaml", "--output", "usage-1.csv"]
    assert "--output: usage-1.csv is also given as usage usage-1.csv" in refused(folder, capsys, words)


@pytest.mark.skipif(not os.path.exists("/dev/stdin"), reason="needs /dev/stdin")
def test_a_file_on_standard_input_is_not_overwritten(folder: Path) -> None:
    usage = folder / "usage-1.csv"
    before = usage.read_bytes()
    words = [*RUN, "bill", "-", "-p", "mps-china", "-f", "json", "--output", str(usage)]
    with usage.open("rb") as stream:
        done = subprocess.run(words, cwd=ROOT, stdin=stream, capture_output=True, check=False)
    assert done.returncode == WRONG_COMMAND_LINE
    assert usage.read_bytes() == before


def _device(path: Path, minor: int) -> Path:
    """A copy of a device of the system: 3 accepts everything, 5 has zeros without end, 7 is full."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        path.open("rb").close()
    except OSError:
        pytest.skip("devices cannot be made here")
    return path


GOOD = ["bill", "good.csv", "-p", "prices", "-q"]


@pytest.fixture
def good(folder: Path) -> Path:
    (folder / "good.csv").write_text(usage_text([row()]))
    return folder


@pytest.mark.parametrize("format_", ["json", "csv", "table", "xlsx", "html"])
@pytest.mark.parametrize("option", ["--output", "--rejects"])
def test_a_device_is_written_to_and_stays_one(good: Path, option: str, format_: str) -> None:
    device = _device(good / "null", 3)
    words = [*GOOD, "-f", format_, option, "null"]
    assert run([*words, *(["-o", "out"] if option == "--rejects" else [])]) == 0
    assert stat.S_ISCHR(device.stat().st_mode)
    assert not list(good.glob(".mps-bill-*"))


@pytest.mark.parametrize("format_", ["json", "csv", "table", "xlsx", "html", "chart", "focus"])
def test_a_full_disk_is_not_a_wrong_command_line(good: Path, format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    _device(good / "full", 7)
    assert run([*GOOD, "-f", format_, "-o", "full"]) == 3
    assert capsys.readouterr().err == "mps-bill: full cannot be written: No space left on device\n"


def test_both_results_may_go_to_the_null_device(good: Path) -> None:
    _device(good / "null", 3)
    assert run([*GOOD, "-f", "json", "-o", "null", "--rejects", "null"]) == 0


@pytest.mark.usefixtures("good")
def test_both_results_do_not_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("-", "/dev/stdout", "/dev/fd/1"):
        assert run([*GOOD, "--rejects", name]) == 2
        assert "the result is written to standard output" in " ".join(capsys.readouterr().err.split())


def test_a_link_stays_a_link_and_its_file_is_written(good: Path) -> None:
    (good / "elsewhere").mkdir()
    (good / "there.json").symlink_to("elsewhere/old.json")
    (good / "elsewhere" / "old.json").write_text("old")
    (good / "dangling.json").symlink_to("elsewhere/new.json")
    for link, target in (("there.json", "old.json"), ("dangling.json", "new.json")):
        assert run([*GOOD, "-o", link]) == 0
        assert (good / link).is_symlink()
        assert (good / "elsewhere" / target).read_text().startswith("{")
    assert {path.name for path in (good / "elsewhere").iterdir()} == {"old.json", "new.json"}


@pytest.mark.usefixtures("good")
def test_links_that_lead_nowhere_are_a_wrong_command_line(good: Path) -> None:
    (good / "loop.json").symlink_to("loop.json")
    (good / "lost.json").symlink_to("nowhere/new.json")
    for name in ("loop.json", "lost.json", "prices", "nowhere/new.json", "new/", ""):
        assert run([*GOOD, "-f", "json", "-o", name]) == 2
    assert (good / "loop.json").is_symlink()
    assert (good / "lost.json").is_symlink()


def test_one_file_through_two_links_is_one_file(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (good / "a.json").write_text("old")
    (good / "b.json").hardlink_to(good / "a.json")
    (good / "c.json").symlink_to("new.json")
    for output, rejects in (("a.json", "b.json"), ("c.json", "new.json")):
        assert run([*GOOD, "-o", output, "--rejects", rejects]) == 2
        assert "is also given as --output" in " ".join(capsys.readouterr().err.split())


def test_mode_and_owner_of_a_file_stay(good: Path) -> None:
    target = good / "bill.json"
    target.write_text("old")
    if os.geteuid() == 0:
        os.chown(target, 1234, 1235)
    target.chmod(0o2640)
    before = target.stat()
    assert run([*GOOD, "-o", "bill.json"]) == 0
    after = target.stat()
    assert target.read_text().startswith("{")
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_file_in_a_folder_that_takes_no_other_is_written_in_its_place(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = good / "bill.json"
    target.write_text("old" * 10_000)
    number = target.stat().st_ino

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mps_bill.core.files.tempfile.mkstemp", refuse)
    assert run([*GOOD, "-o", "bill.json"]) == 0
    assert target.stat().st_ino == number
    assert target.read_text().endswith("}\n")
    # The name is right, and nothing can be written there.
    assert run([*GOOD, "-o", "new.json"]) == 3
    assert not (good / "new.json").exists()


def _shell(folder: Path, script: str) -> tuple[int, str]:
    words = ["bash", "-c", script, "bash", *RUN, *GOOD, "-f", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_names_of_standard_output_and_of_pipes(good: Path) -> None:
    code, wanted = _shell(good, '"$@"')
    assert code == 0
    for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        assert _shell(good, f'"$@" -o {name}') == (0, wanted)
        # What the shell has written to the file before and writes behind stays.
        _shell(good, f'(echo before; "$@" -o {name}; echo behind) > all.txt')
        assert (good / "all.txt").read_text() == f"before\n{wanted}behind\n"
    _shell(good, '"$@" -o /dev/fd/7 7> seven.txt')
    assert (good / "seven.txt").read_text() == wanted
    assert _shell(good, '"$@" -o >(cat > piped.txt; echo done) | cat')[1] == "done\n"
    assert (good / "piped.txt").read_text() == wanted
    assert _shell(good, '"$@" -o >(head -c 1 > /dev/null)')[0] == 0
    os.mkfifo(good / "fifo")
    assert _shell(good, 'cat fifo & "$@" -o fifo; wait') == (0, wanted)
    assert stat.S_ISFIFO((good / "fifo").stat().st_mode)


def test_documents_are_files_or_pipes_of_a_limited_size(
    good: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = str(_device(good / "zero.yaml", 5))
    export = str(ROOT / "tests/golden/reconcile/every-class/export.csv")
    commands = [
        ["settle", "good.csv", "-p", "prices", "-a", "FILE"],
        ["bill", "good.csv", "-p", "FILE"],
        ["bill", "good.csv", "-p", "prices", "--profile", "FILE"],
        ["plans", "advise", "good.csv", "-p", "prices", "--packs", "FILE"],
        ["reconcile", "good.csv", "-p", "prices", "-b", "FILE"],
        ["reconcile", "good.csv", "-p", "prices", "-b", export, "--mapping", "FILE"],
    ]
    for words in commands:
        assert run([zeros if word == "FILE" else word for word in words]) == 3
        assert "it is a device, not a file or a pipe" in capsys.readouterr().err
    assert run(["prices", "check", zeros]) == 3
    assert "it is a device, not a file or a pipe" in capsys.readouterr().out

    (good / "large.yaml").write_bytes(b"#" * 16_000_001)
    monkeypatch.setattr("mps_bill.reconcile.read_export.MAX_BYTES_OF_DATA", 16_000_000)
    for words in commands:
        assert run(["large.yaml" if word == "FILE" else word for word in words]) == 3
        assert "it is larger than 16,000,000 bytes, the maximum that is read" in capsys.readouterr().err


@pytest.mark.parametrize("words", [
    ["bill", "good.csv", "-p", "account.yaml"],
    ["bill", "good.csv", "-p", "prices", "--profile", "account.yaml"],
    ["plans", "advise", "good.csv", "-p", "prices", "--packs", "account.yaml"],
    ["reconcile", "good.csv", "-p", "prices", "-b", str(ROOT / "tests/golden/reconcile/every-class/export.csv"),
     "--mapping", "account.yaml"],
    ["prices", "test", "prices/sheet.yaml"],
    ["--config", "account.yaml", "bill", "good.csv", "-p", "prices"],
])  # fmt: skip
def test_a_document_of_another_kind_is_one_message(
    good: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (good / "prices" / "sheet.cases.yaml").write_text(ACCOUNT)
    assert run(words) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert '"mps-bill/account/1" is not ' in said


def test_a_limit_that_was_crossed_is_said_and_by_how_much(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*GOOD, "--fail-over", "0.5"]) == 4
    assert capsys.readouterr().err == "A limit was crossed: payable 0.65 CNY is above --fail-over 0.50 by 0.15\n"
    (good / "account.yaml").write_text(ACCOUNT.replace("10.00", "0.25"))
    words = ["settle", *GOOD[1:], "-a", "account.yaml", "--fail-on-outstanding", "--fail-over", "0.64"]
    assert run(words) == 4
    assert capsys.readouterr().err == (
        "A limit was crossed: payable 0.65 CNY is above --fail-over 0.64 by 0.01\n"
        "A limit was crossed: 0.40 CNY outstanding, and --fail-on-outstanding allows none\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_result_with_rejected_rows_exits_as_something_found(folder: Path, command: str) -> None:
    words = [*COMMANDS[command], "-p", "prices", "--rejects", str(folder / "rejects.csv"), "-q"]
    assert run(words) == 1
    without = [*COMMANDS[command], "-p", "prices", "-q"]
    assert run(without) == (1 if command == "usage check" else 3)


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_billed_where_every_row_is_bad(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 3 means that nothing was billed, with the rejects written all the same."""
    (folder / "usage-1.csv").write_text(usage_text([row(quantity="ten"), row(job_id="j-2", quantity="ten")]))
    words = [*COMMANDS[command], "-p", "prices", "--rejects", "rejects.csv", "-q"]
    if command == "settle":
        words.append("--in-place")
    assert run(words) == (1 if command == "usage check" else 3)
    told = capsys.readouterr()
    assert told.out == "" or command == "usage check"
    assert "U203 bad-quantity" in told.out + told.err
    assert len((folder / "rejects.csv").read_text().splitlines()) == 3
    assert (folder / "account.yaml").read_text() == ACCOUNT
    # A delivery without a row, or of jobs that failed, holds nothing that is wrong.
    for rows in ([], [row(status="failed")]):
        (folder / "usage-1.csv").write_text(usage_text(rows))
        assert run([*words, "-o", "result.json"]) in (0, 1)

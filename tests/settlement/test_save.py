"""Faults while an account is saved: the old account or the new one, whole; nothing charged twice; a clear message."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.cli.exit_codes import DONE, FOUND, REJECTED, WRONG_COMMAND_LINE
from tests.conftest import ROOT

ACCOUNT = """\
format: mps-bill/account/1
id: studio-a     # ours
currency: CNY
balance: 10.00
"""
USAGE = """\
job_id,completed_at,region,item,spec,quantity,unit
j-1,2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264.HD,10,minute
j-2,2023-11-10T12:20:00+08:00,cn-shanghai,transcoding,H264.HD,10,minute
"""
#: 0.651 twice, each rounded down to 0.65.
AFTER = "balance: 8.70\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "account.yaml").write_text(ACCOUNT)
    (tmp_path / "usage.csv").write_text(USAGE)
    return tmp_path


def settle(folder: Path, *options: str) -> int:
    return run(command_line(folder, *options))


def command_line(folder: Path, *options: str) -> list[str]:
    usage, account = (str(folder / name) for name in ("usage.csv", "account.yaml"))
    return ["settle", usage, "-p", "mps-china", "--account", account, *options]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_saved_in_the_folder_of_the_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert settle(folder, "--save", str(folder / "after.yaml")) == DONE
    assert AFTER in (folder / "after.yaml").read_text()
    assert "id: studio-a     # ours\n" in (folder / "after.yaml").read_text()
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert files(folder) == {"account.yaml", "usage.csv", "after.yaml"}
    assert "Saved the account to " in capsys.readouterr().err


def test_the_input_is_overwritten_only_when_told_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "link.yaml").symlink_to(folder / "account.yaml")
    for name in ("account.yaml", "link.yaml"):
        assert settle(folder, "--save", str(folder / name)) == WRONG_COMMAND_LINE
        assert "use --in-place to overwrite it" in capsys.readouterr().err
    assert (folder / "account.yaml").read_text() == ACCOUNT
    (folder / "account.yaml").chmod(0o640)
    assert settle(folder, "--in-place") == DONE
    assert AFTER in (folder / "account.yaml").read_text()
    assert (folder / "account.yaml").stat().st_mode & 0o777 == 0o640
    again = (folder / "account.yaml").read_bytes()
    assert settle(folder, "--in-place") == DONE
    assert (folder / "account.yaml").read_bytes() == again


@pytest.mark.parametrize("content", [USAGE, ACCOUNT.replace("studio-a", "studio-b"), "", "\xff"])
def test_another_file_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    (folder / "other").write_text(content, encoding="latin-1")
    assert settle(folder, "--save", str(folder / "other")) == WRONG_COMMAND_LINE
    assert "is not a valid file of the account studio-a" in capsys.readouterr().err
    assert (folder / "other").read_text(encoding="latin-1") == content


LATER = USAGE.replace("2023-11-10", "2023-11-11")


def test_a_later_state_of_the_account_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = folder / "later.yaml"
    assert settle(folder, "--save", str(later)) == DONE
    first = later.read_text()
    (folder / "usage.csv").write_text(LATER)
    capsys.readouterr()
    assert settle(folder, "--save", str(later)) == WRONG_COMMAND_LINE
    out, err = capsys.readouterr()
    assert out == ""
    said = " ".join(err.split())
    assert "later.yaml: it holds 2 charged cycles of 2023-11-10 that " in said
    assert f"settle from it (--account {later}) or name another file" in said
    assert later.read_text() == first

    # Where only the time is known through which it is settled, that decides.
    through = 'settled_through: "2023-11-10T13:00:00+08:00"\n'
    later.write_text(ACCOUNT + through)
    assert settle(folder, "--save", str(later)) == WRONG_COMMAND_LINE
    said = " ".join(capsys.readouterr().err.split())
    assert "it holds cycles settled through 2023-11-10T13:00:00+08:00 that " in said
    assert later.read_text() == ACCOUNT + through


def test_an_earlier_state_of_the_account_is_overwritten(folder: Path) -> None:
    earlier = folder / "earlier.yaml"
    assert settle(folder, "--save", str(earlier)) == DONE
    (folder / "account.yaml").write_text(earlier.read_text())
    (folder / "usage.csv").write_text(LATER)
    assert settle(folder, "--save", str(earlier)) == DONE
    assert "balance: 7.40\n" in earlier.read_text()


def test_the_result_is_not_written_over_an_account(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account = str(folder / "account.yaml")
    new = str(folder / "new.yaml")
    for option, words in (
        ("--account", ["-f", "json", "-o", account]),
        ("--account", ["--rejects", account]),
        ("--account", ["--in-place", "--rejects", account]),
        ("--save", ["--save", new, "--rejects", new]),
    ):
        assert settle(folder, *words) == WRONG_COMMAND_LINE
        said = " ".join(capsys.readouterr().err.split())
        assert f"{words[-1]} is also given as {option} {words[-1]}; name another file" in said
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert files(folder) == {"account.yaml", "usage.csv"}


def test_a_folder_that_cannot_be_written_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert settle(folder, "--save", str(folder / "nowhere" / "after.yaml")) == WRONG_COMMAND_LINE
    out, err = capsys.readouterr()
    assert out == ""
    assert "No such file or directory; the account is unchanged, and nothing was charged" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_can_be_settled_from_but_not_saved_to(folder: Path) -> None:
    folder.chmod(0o555)
    try:
        assert settle(folder) == DONE
        assert settle(folder, "--in-place") == REJECTED
    finally:
        folder.chmod(0o755)
    assert (folder / "account.yaml").read_text() == ACCOUNT


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
def test_a_disk_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    assert settle(folder, "--in-place") == REJECTED
    monkeypatch.undo()
    assert "No space left on device; the account is unchanged, and nothing was charged" in capsys.readouterr().err
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert files(folder) == {"account.yaml", "usage.csv"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_result_that_cannot_be_printed_leaves_the_account_as_it_was(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(command(folder), check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert done.returncode == REJECTED
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert files(folder) == {"account.yaml", "usage.csv"}
    assert "standard output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_an_account_is_not_saved_to_standard_output(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert settle(folder, "--save", name) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["account.yaml", "usage.csv"]


def test_bad_rows_reject_the_run_and_nothing_is_saved(folder: Path) -> None:
    (folder / "usage.csv").write_text(USAGE.replace(",10,", ",ten,"))
    assert settle(folder, "--in-place") == REJECTED
    assert (folder / "account.yaml").read_text() == ACCOUNT


def test_good_rows_are_charged_and_saved_although_others_are_rejected(folder: Path) -> None:
    (folder / "usage.csv").write_text(USAGE.replace(",10,", ",ten,", 1))
    assert settle(folder, "--in-place", "--rejects", str(folder / "rejects.csv")) == FOUND
    assert "balance: 9.35\n" in (folder / "account.yaml").read_text()


#: Runs the program; from the moment that it begins to write the account every call on files is counted, and the process
#: kills itself before the call numbered N.
KILLER = """\
    import os, signal, sys, tempfile

    at, calls, armed = int(sys.argv[1]), 0, False

    def counted(function):
        def call(*arguments, **named):
            global calls, armed
            armed = armed or named.get("suffix") == ".tmp"
            calls += armed
            if armed and calls == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)
        return call

    for name in ("open", "fdopen", "write", "fchmod", "fsync", "replace", "unlink", "close"):
        setattr(os, name, counted(getattr(os, name)))
    tempfile.mkstemp = counted(tempfile.mkstemp)
    from mps_bill.cli import run
    sys.exit(run(sys.argv[2:]))
"""


def command(folder: Path) -> list[str]:
    return [sys.executable, "-c", "from mps_bill.cli import main; main()", *command_line(folder, "--in-place")]


def test_killed_at_any_call_the_account_is_the_old_or_the_new_one(folder: Path) -> None:
    script = folder / "killer.py"
    script.write_text(textwrap.dedent(KILLER))

    def killed_at(number: int) -> subprocess.CompletedProcess[str]:
        (folder / "account.yaml").write_text(ACCOUNT)
        arguments = [sys.executable, str(script), str(number), *command_line(folder, "--in-place")]
        return subprocess.run(arguments, check=False, capture_output=True, text=True, cwd=ROOT)

    whole = killed_at(0)
    assert whole.returncode == DONE, whole.stderr
    new = (folder / "account.yaml").read_text()
    seen = set()
    for number in itertools.count(1):
        outcome = killed_at(number).returncode
        assert outcome in (-signal.SIGKILL, DONE)
        if outcome == DONE:
            # Fewer calls than that were made: every one of them has been a point to die at.
            break
        found = (folder / "account.yaml").read_text()
        assert found in (ACCOUNT, new)
        seen.add(found)
        # The next run finishes the work, from whichever of the two it finds.
        assert settle(folder, "--in-place", "-q") == DONE
        assert (folder / "account.yaml").read_text() == new
    assert seen == {ACCOUNT, new}
    # Later runs have removed the files that the killed runs left next to the account.
    assert files(folder) == {"account.yaml", "usage.csv", "killer.py"}


def test_two_runs_at_once_charge_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import fcntl

    with (folder / "account.yaml").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert settle(folder, "--in-place") == REJECTED
        assert "another run is settling with this account; nothing was charged" in capsys.readouterr().err
        # To look at an account needs no lock.
        assert settle(folder) == DONE
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert settle(folder, "--in-place") == DONE


def test_many_runs_at_once_charge_once(folder: Path) -> None:
    running = [
        subprocess.Popen(command(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) for _ in range(4)
    ]
    codes = {process.wait() for process in running}
    for process in running:
        process.communicate()
    assert codes <= {DONE, REJECTED}
    assert DONE in codes
    assert AFTER in (folder / "account.yaml").read_text()


def test_a_run_that_waited_through_a_save_reads_the_new_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening and locking another run saves: the locked file is then no longer the account."""
    import fcntl

    real = fcntl.flock
    saved: list[int] = []

    def flock(stream: object, operation: int) -> None:
        if not saved:
            saved.append(1)
            assert settle(folder, "--in-place", "-q") == DONE
        real(stream, operation)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", flock)
    assert settle(folder, "--in-place", "-q") == DONE
    assert AFTER in (folder / "account.yaml").read_text()


def _full(folder: Path) -> Path:
    """A device that accepts no byte: a copy of the system's `full`."""
    device = folder / "full"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        device.open("wb").close()
    except OSError:
        pytest.skip("devices cannot be made here")
    return device


@pytest.mark.parametrize("option", ["--rejects", "--output", "--save"])
def test_the_account_is_the_last_that_is_written(folder: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "usage.csv").write_text(USAGE.replace(",10,", ",ten,", 1))
    full = _full(folder)
    paths = {"--rejects": str(folder / "rejects.csv")} | {option: str(full)}
    words = [word for pair in paths.items() for word in pair]
    assert settle(folder, "-f", "json", *([] if option == "--save" else ["--in-place"]), *words) == REJECTED
    assert "full cannot be written: No space left on device" in capsys.readouterr().err
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert stat.S_ISCHR(full.stat().st_mode)


def test_every_result_is_on_the_disk_before_the_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "usage.csv").write_text(USAGE.replace(",10,", ",ten,", 1))
    placed, synced = [], []
    replace, fsync = os.replace, os.fsync

    def note_replace(source: str, target: Path) -> None:
        placed.append((Path(target).name, len(synced)))
        replace(source, target)

    def note_fsync(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "replace", note_replace)
    monkeypatch.setattr(os, "fsync", note_fsync)
    results = ["-o", str(folder / "result.json"), "--rejects", str(folder / "rejects.csv")]
    assert settle(folder, "--in-place", *results) == FOUND
    assert [name for name, _ in placed] == ["rejects.csv", "result.json", "account.yaml"]
    for name, before in placed:
        assert (folder / name).stat().st_ino in synced[:before]


def test_the_target_is_locked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import fcntl

    target = folder / "after.yaml"
    target.write_text(ACCOUNT)
    with target.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert settle(folder, "--save", str(target)) == REJECTED
    assert "another run is settling with this account; nothing was charged" in capsys.readouterr().err
    assert target.read_text() == ACCOUNT
    assert settle(folder, "--save", str(target)) == DONE


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("in_place", [True, False])
def test_an_account_saved_in_between_is_not_lost(
    folder: Path, there: bool, in_place: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the run reads, another one that ignores locks saves to the same place."""
    from mps_bill.cli.output_options import OutputOptions

    target = folder / ("account.yaml" if in_place else "after.yaml")
    if there:
        target.write_text(ACCOUNT)
    elif in_place:
        pytest.skip("the account that is read is there")
    other = ACCOUNT.replace("10.00", "9.00")
    show = OutputOptions.show

    def meanwhile(showing: OutputOptions, view: object) -> None:
        target.write_text(other)
        show(showing, view)

    monkeypatch.setattr(OutputOptions, "show", meanwhile)
    assert settle(folder, *(["--in-place"] if in_place else ["--save", str(target)])) == REJECTED
    assert "was changed during this run; the account is unchanged, and nothing was charged" in capsys.readouterr().err
    assert target.read_text() == other
    assert not list(folder.glob(".mps-bill-*"))


def test_an_account_with_two_names_is_not_charged_through_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "other.yaml").hardlink_to(folder / "account.yaml")
    for words in (["--in-place"], ["--in-place", "--save", str(folder / "other.yaml")]):
        assert settle(folder, *words) == REJECTED
        assert "the file has 2 names (hard links)" in " ".join(capsys.readouterr().err.split())
    assert (folder / "account.yaml").read_text() == ACCOUNT
    # The state after the run may go to a file of its own.
    assert settle(folder, "--save", str(folder / "after.yaml")) == DONE


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
@pytest.mark.parametrize("in_place", [True, False])
def test_a_place_that_takes_no_file_is_not_a_wrong_command_line(
    folder: Path, in_place: bool, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("mps_bill.core.files.tempfile.mkstemp", refuse)
    assert settle(folder, *(["--in-place"] if in_place else ["--save", str(folder / "after.yaml")])) == REJECTED
    told = capsys.readouterr()
    assert told.out == ""
    assert f"cannot be written: {os.strerror(number)}; the account is unchanged, and nothing was charged" in told.err
    assert (folder / "account.yaml").read_text() == ACCOUNT


def test_an_account_that_is_mounted_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(os, "replace", busy)
    assert settle(folder, "--in-place") == REJECTED
    said = capsys.readouterr().err
    assert "Device or resource busy (it is a mount point and cannot be replaced" in said
    assert "name another file); the account is unchanged, and nothing was charged" in said
    assert (folder / "account.yaml").read_text() == ACCOUNT
    assert files(folder) == {"account.yaml", "usage.csv"}


@pytest.mark.parametrize("what", ["edited", "removed"])
def test_an_account_that_is_edited_while_the_run_goes_on_is_not_charged(
    folder: Path, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where it is saved elsewhere: what was edited would be missing there."""
    from mps_bill.cli.output_options import OutputOptions

    account, show = folder / "account.yaml", OutputOptions.show

    def meanwhile(showing: OutputOptions, view: object) -> None:
        if what == "edited":
            account.write_text(ACCOUNT.replace("10.00", "9.00"))
        else:
            account.unlink()
        show(showing, view)

    monkeypatch.setattr(OutputOptions, "show", meanwhile)
    for words in (["--save", str(folder / "after.yaml")], ["--in-place"]):
        account.write_text(ACCOUNT)
        assert settle(folder, *words) == REJECTED
        assert "account.yaml was changed during this run" in capsys.readouterr().err
        assert files(folder) == {"usage.csv", *(["account.yaml"] if what == "edited" else [])}


def test_saved_through_a_link_and_into_a_pipe(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "link.yaml").symlink_to("elsewhere/account.yaml")
    assert settle(folder, "--save", str(folder / "link.yaml")) == DONE
    assert (folder / "link.yaml").is_symlink()
    saved = (folder / "elsewhere" / "account.yaml").read_text()
    assert AFTER in saved
    os.mkfifo(folder / "pipe")
    reader = subprocess.Popen(["cat", str(folder / "pipe")], stdout=subprocess.PIPE, text=True)
    assert settle(folder, "--save", str(folder / "pipe")) == DONE
    assert reader.communicate(timeout=60)[0] == saved
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_of_an_account_stays(folder: Path) -> None:
    os.chown(folder / "account.yaml", 1234, 1235)
    (folder / "account.yaml").chmod(0o2660)
    assert settle(folder, "--in-place") == DONE
    after = (folder / "account.yaml").stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (1234, 1235, 0o2660)
    assert AFTER in (folder / "account.yaml").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_owner_that_cannot_be_kept_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user who is not root saves an account of somebody else: the charge is made, and the file changes hands."""
    os.chown(folder / "account.yaml", 1234, 1235)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchown", refuse)
    assert settle(folder, "--in-place") == DONE
    assert "The file now belongs to the user of this run" in capsys.readouterr().err
    assert (folder / "account.yaml").stat().st_uid == os.geteuid()
    assert AFTER in (folder / "account.yaml").read_text()

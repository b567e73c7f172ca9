"""Every command that reads with a profile says what its notes say, on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.profiles.profile_definition import load_profile
from tests.cli.test_outputs import ACCOUNT, COMMANDS
from tests.conftest import ROOT

JOBS = str(ROOT / "samples/profiles/job-list.json")
#: The commands that read usage, reading jobs; converting needs no prices.
READING = {
    name: [JOBS if word == "usage-*.csv" else word for word in words] + ["--prices", "mps-china"]
    for name, words in COMMANDS.items()
}
READING["usage convert"] = ["usage", "convert", JOBS]


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("quiet", [False, True])
def test_notes_are_printed_unless_the_run_is_quiet(
    name: str, quiet: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, _ = load_profile("mps-job-list")
    assert profile
    (tmp_path / "account.yaml").write_text(ACCOUNT)
    monkeypatch.chdir(tmp_path)
    run([*READING[name], "--profile", "mps-job-list", *(["-q"] if quiet else [])])
    out, err = capsys.readouterr()
    said = [line for line in err.splitlines() if line.startswith("Note: ")]
    assert said == [] if quiet else said == [f"Note: {note}" for note in profile.notes]
    assert "Note: a job list" not in out

"""Defaults of options: from which file, and which of file and environment wins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mps_bill.config import FILE_NAME, Setting, find_config, load_settings
from mps_bill.core.diagnostics import InputRejected
from mps_bill.render.formats import FORMATS
from tests.conftest import ROOT
from tests.golden.cases import run_captured

FILE = """\
prices: [mps-china, own.yaml, ../team]
account: studio.yaml
profile: log.yaml
set: {region: cn-shanghai, tag_show: news}
format: markdown
timezone: "+08"
by: [item]
"""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config file and some of the files it names, and a folder in it to work in."""
    folder = tmp_path / "studio"
    (folder / "november").mkdir(parents=True)
    (tmp_path / "team").mkdir()
    (folder / FILE_NAME).write_text(FILE)
    for name in ("own.yaml", "log.yaml"):
        (folder / name).touch()
    monkeypatch.chdir(folder / "november")
    return folder


def test_the_nearest_file_upward_counts(studio: Path) -> None:
    assert find_config(studio / "november") == studio / FILE_NAME
    (studio / "november" / FILE_NAME).touch()
    assert find_config(studio / "november") == studio / "november" / FILE_NAME
    (studio / "november" / FILE_NAME).unlink()
    (studio / FILE_NAME).unlink()
    assert find_config(studio / "november") is None


def test_paths_are_relative_to_the_config_file_and_ids_stay_ids(studio: Path) -> None:
    settings = load_settings(studio / FILE_NAME, {})
    assert settings["prices"] == Setting(("mps-china", "../own.yaml", "../../team"), "../mps-bill.yaml:1:1")
    assert settings["account"].values == ("../studio.yaml",)
    assert settings["profile"].values == ("../log.yaml",)


def test_values_are_as_their_options_take_them(studio: Path) -> None:
    settings = load_settings(studio / FILE_NAME, {})
    assert settings["set"].values == ("region=cn-shanghai", "tag_show=news")
    assert settings["format"].values == ("markdown",)
    assert settings["timezone"] == Setting(("+08:00",), "../mps-bill.yaml:6:11")


def test_the_environment_wins_over_the_file(studio: Path) -> None:
    environment = {"MPS_BILL_PRICES": os.pathsep.join(("mps-intl", "x.yaml")), "MPS_BILL_ACCOUNT": "", "OTHER": "x"}
    settings = load_settings(studio / FILE_NAME, environment)
    assert settings["prices"] == Setting(("mps-intl", "x.yaml"), "MPS_BILL_PRICES")
    assert settings["account"] == Setting((), "MPS_BILL_ACCOUNT")
    assert settings["by"].values == ("item",)
    assert load_settings(None, {}) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pries: [x]\n", ["1:1 unknown-key"]),
        ("format: xlsx\ntimezone: Asia/Shanghai\n", ["1:9 unknown-format", "2:11 bad-offset"]),
        ("prices: mps-china\n", ["1:9 wrong-structure"]),
        ("prices: [a, a]\n", ["1:13 duplicate-entry"]),
        ("\tprices: [a]\n", ["1:1 tab"]),
    ],
)
def test_all_mistakes_of_the_file_come_at_once(tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(InputRejected) as caught:
        load_settings(tmp_path / FILE_NAME, {})
    shown = caught.value.report.shown
    assert [f"{one.place.line}:{one.place.column} {one.kind.slug}" for one in shown] == expected


ESTIMATE = ["estimate", "transcoding", "H264.HD", "1", "minute", "-r", "cn-shanghai", "--at", "2026-01-01T00:00:00Z"]


def test_options_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_text("prices: [mps-china]\nformat: json\n")
    monkeypatch.chdir(tmp_path)

    def first_line(*more: str) -> bytes:
        code, out, err = run_captured([*ESTIMATE, *more], b"", monkeypatch)
        assert (code, err) == (0, b"")
        return (out or (tmp_path / "x.md").read_bytes()).splitlines()[0]

    assert first_line() == b"{"
    assert first_line("--output", "x.md").startswith(b"### ")
    monkeypatch.setenv("MPS_BILL_FORMAT", "markdown")
    assert first_line().startswith(b"### ")
    assert first_line("--format", "table").startswith(b"Estimate of transcoding: ")
    assert b"USD" in run_captured([*ESTIMATE, "-p", "mps-intl"], b"", monkeypatch)[1]


def test_a_command_without_the_default_format_uses_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE_NAME).write_text("prices: [mps-china]\nformat: csv\n")
    monkeypatch.chdir(tmp_path)
    code, out, err = run_captured(ESTIMATE, b"", monkeypatch)
    assert (code, err) == (0, b"")
    assert out.startswith(b"Estimate of transcoding: ")
    (tmp_path / FILE_NAME).unlink()
    monkeypatch.setenv("MPS_BILL_FORMAT", "csw")
    code, _, err = run_captured([*ESTIMATE, "-p", "mps-china"], b"", monkeypatch)
    assert code == 2
    assert 'MPS_BILL_FORMAT: unknown default format "csw"; did you mean "csv"?' in err.decode()


@pytest.mark.parametrize("name", [one.name for one in FORMATS])
def test_a_format_can_be_the_default_where_it_needs_no_file_and_would_be_used(name: str, tmp_path: Path) -> None:
    """The commands of price sheets take no default format, so what only they have would do nothing."""
    (tmp_path / FILE_NAME).write_text(f"format: {name}\n")
    if name in ("xlsx", "text", "github", "gitlab", "junit", "sarif"):
        with pytest.raises(InputRejected, match="C202"):
            load_settings(tmp_path / FILE_NAME, {})
    else:
        assert load_settings(tmp_path / FILE_NAME, {})["format"].values == (name,)


def test_a_broken_file_does_not_prevent_help_and_full_command_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_text("pries: []\n")
    monkeypatch.chdir(tmp_path)
    assert run_captured(["bill", "--help"], b"", monkeypatch)[0] == 0
    code, _, err = run_captured(ESTIMATE, b"", monkeypatch)
    assert code == 3
    assert b'mps-bill.yaml:1:1: unknown key "pries"' in err


def test_a_config_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_captured(["--config", "other.yaml", *ESTIMATE], b"", monkeypatch)
    assert code == 2
    assert b'"other.yaml" is not a file' in err


def test_a_config_may_come_through_a_pipe(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are those of the working folder. A folder is still no config file."""
    (studio / "november" / "near.yaml").write_text((ROOT / "pricing" / "mps-china.yaml").read_text())
    read, write = os.pipe()
    os.write(write, b"prices: [near.yaml]\n")
    os.close(write)
    try:
        code, out, err = run_captured(["--config", f"/dev/fd/{read}", "config", "show", "-f", "json"], b"", monkeypatch)
    finally:
        os.close(read)
    assert (code, err) == (0, b"")
    assert b'"near.yaml"' in out
    assert run_captured(["--config", str(studio), *ESTIMATE], b"", monkeypatch)[0] == 2

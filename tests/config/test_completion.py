"""What shells offer: ids, regions and items, quickly and without ever failing."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from mps_bill.cli import completion, run
from mps_bill.rating.selection import LINE_KEYS
from tests.kit import row, usage_text


class Shell:
    """Bash, asking what it may offer at the end of a command line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._output = monkeypatch, output

    def offers(self, line: str) -> list[str]:
        # Bash takes words apart at these signs, and asks for what comes behind the last of them.
        words = [word for part in line.split(" ") for word in (re.findall("[=:]|[^=:]+", part) or [""])]
        asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
        with self._monkeypatch.context() as patch:
            for name, value in {"_MPS_BILL_COMPLETE": "complete_bash", "_MPS_BILL_BEGUN": "", **asked}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                run([])
        out, err = self._output.readouterr()
        assert (ended.value.code, err) == (0, "")
        return out.split()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mps-bill bill u.csv --prices mps-", ["mps-china", "mps-intl"]),
        ("mps-bill usage convert u.json --profile ims-e", ["ims-editing", "ims-enhancement"]),
        ("mps-bill estimate dolby 1 minute --region cn-sh", ["cn-shanghai", "cn-shenzhen"]),
        ("mps-bill estimate --prices mps-china editing", ["editing_basic", "editing_advanced"]),
        ("mps-bill estimate --prices nothing editing", []),
        ("mps-bill estimate --prices mps-china audio_transcoding ", ["Audio"]),
        ("mps-bill estimate --prices mps-china transcoding H264.HD 10 m", ["minute"]),
        ("mps-bill estimate --prices mps-china hdr_standard HDR 10 ", ["frame"]),
        (
            "mps-bill estimate dolby 1 minute --at 2023-11-10T11:00:00+08:00 --region=cn-sh",
            ["cn-shanghai", "cn-shenzhen"],
        ),
        ("mps-bill prices show mps-china --item audio", ["audio_transcoding"]),
        ("mps-bill prices show mps-china --item transcoding --spec H264.2", ["H264.2K"]),
        ("mps-bill prices show mps-china --region cn-qing", ["cn-qingdao"]),
        ("mps-bill help recon", ["reconcile"]),
        ("mps-bill help sett", ["settle"]),
        ("mps-bill bill u.csv --by it", ["item"]),
        ("mps-bill compare u.csv --by ", ["item", "family", "spec", "region"]),
    ],
)
def test_words_are_completed(line: str, expected: list[str], shell: Shell) -> None:
    assert shell.offers(line) == expected


def test_items_are_those_of_the_config(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mps-bill.yaml").write_text("prices: [kms-intl]\n")
    items = shell.offers("mps-bill estimate ")
    assert items
    assert "transcoding" not in items
    (tmp_path / "mps-bill.yaml").write_text("prices: [")
    assert shell.offers("mps-bill estimate ") == []


@pytest.fixture
def usage(tmp_path: Path) -> str:
    path = tmp_path / "usage.csv"
    path.write_text(usage_text([row(tag_project="drama"), row(job_id="j-2", tag_project="news", region="cn-beijing")]))
    return str(path)


def test_values_of_a_small_file_are_offered(usage: str, shell: Shell) -> None:
    assert shell.offers(f"mps-bill explain {usage} --job ") == ["j-1", "j-2"]
    assert shell.offers(f"mps-bill explain --job j-2 --set region=x {usage} --account a --job ") == ["j-1", "j-2"]
    assert shell.offers(f"mps-bill bill {usage} --by tag") == ["tag_project"]
    assert shell.offers(f"mps-bill bill {usage} --by day,t") == ["day,tag_project"]


@pytest.mark.parametrize("command", ["bill", "settle", "explain", "reconcile"])
def test_keys_and_values_are_offered_where_bash_has_split_them(command: str, usage: str, shell: Shell) -> None:
    assert shell.offers(f"mps-bill {command} {usage} --only reg") == ["region=cn-shanghai", "region=cn-beijing"]
    assert shell.offers(f"mps-bill {command} {usage} --only region=") == ["cn-shanghai", "cn-beijing"]
    assert shell.offers(f"mps-bill {command} {usage} --only region=cn-shanghai --only tag_project=n") == ["news"]


def test_every_key_of_what_is_shown_is_offered() -> None:
    context = SimpleNamespace(params={"usage": []}, args=[])
    assert sorted(completion.only(context, "")) == sorted(f"{key}=" for key in LINE_KEYS)  # type: ignore[arg-type]


def test_a_large_file_is_not_read(usage: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "_SMALL", 10)
    assert shell.offers(f"mps-bill explain {usage} --job ") == []


@pytest.mark.parametrize(
    ("word", "offered"),
    [
        ("", ["item=", "family=", "spec=", "region=", "tag_project="]),
        ("re", ["region=cn-shanghai", "region=cn-beijing"]),
        ("region=cn-b", ["region=cn-beijing"]),
        ("tag_project=", ["tag_project=drama", "tag_project=news"]),
        ("tag_projekt=", []),
        ("spec=H264.2", ["spec=H264.2K", "spec=H264.2K.NarrowBandHDV1"]),
    ],
)
def test_keys_and_values_of_what_is_shown(word: str, offered: list[str], usage: str) -> None:
    context = SimpleNamespace(params={"usage": [usage], "prices": ["mps-china"]}, args=[])
    assert completion.only(context, word) == offered  # type: ignore[arg-type]


def test_values_that_no_file_has_are_those_that_are_known() -> None:
    context = SimpleNamespace(params={"usage": ["gone.csv"], "prices": ["mps-china"]}, args=[])
    assert completion.only(context, "family=tr") == ["family=transcoding"]  # type: ignore[arg-type]
    assert "region=cn-qingdao" in completion.only(context, "region=")  # type: ignore[arg-type]

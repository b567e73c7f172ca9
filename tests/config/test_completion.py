"""What shells offer: ids, regions and items, quickly and without ever failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.cli import run


class Shell:
    """Bash, asking what it may offer at the end of a command line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._output = monkeypatch, output

    def offers(self, line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        with self._monkeypatch.context() as patch:
            for name, value in {"_MPS_BILL_COMPLETE": "complete_bash", **words}.items():
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

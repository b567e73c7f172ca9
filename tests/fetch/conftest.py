"""Keys without any rights, no pauses, and the command line against a fake provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run

KEY, SECRET = "LTAI5tFakeKeyOfTests", "FakeSecretOfTests0123456789"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from alibabacloud_credentials.utils import auth_util

    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALIBABA_CLOUD_SECURITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET)
    # The client read these from the environment when it was imported.
    monkeypatch.setattr(auth_util, "environment_access_key_id", KEY)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", SECRET)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The requested pauses, which are not made."""
    made: list[float] = []
    monkeypatch.setattr("mps_bill.fetch.provider.time.sleep", made.append)
    return made


class Fetch:
    """`mps-bill fetch`: its output, and its messages on standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys, self._folder = capsys, folder
        self.out = self.err = ""

    def __call__(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        got = run(["fetch", *words])
        self.out, self.err = self._capsys.readouterr()
        assert got == code, self.err
        self.check_no_secret()
        return [json.loads(line) for line in self.out.splitlines()] if self.out.startswith('{"request"') else []

    def check_no_secret(self) -> None:
        texts = [path.read_text("utf-8", "replace") for path in self._folder.rglob("*") if path.is_file()]
        for text in (*texts, self.out, self.err):
            for secret in (KEY, SECRET, "Signature=", "ACS3-HMAC", "x-acs-"):
                assert secret not in text


@pytest.fixture
def fetch(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Fetch:
    return Fetch(capsys, tmp_path)

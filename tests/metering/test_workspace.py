"""The folder of a run, in parallel with other runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.metering import workspace


def test_a_run_that_starts_is_not_treated_as_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = workspace.lock
    others = [workspace.sweep]

    def lock_late(descriptor: int, *, wait: bool = False) -> bool:
        # Another run starts after the folder is made and before it is locked.
        while others:
            others.pop()(str(tmp_path))
        return lock(descriptor, wait=wait)

    monkeypatch.setattr(workspace, "lock", lock_late)
    with workspace.run_folder(str(tmp_path)) as folder:
        assert folder.is_dir()
        workspace.sweep(str(tmp_path))
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_the_folder_of_a_dead_run_is_removed(tmp_path: Path) -> None:
    dead = tmp_path / "mps-bill-run-dead"
    dead.mkdir()
    workspace.sweep(str(tmp_path))
    assert not dead.exists()

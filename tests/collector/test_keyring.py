"""Keys stay in force while the state cannot be read, and that is said once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from expost.collector.keyring import Keyring
from expost.errors import FolderError
from expost.lake.folder import open_folder
from expost.state.database import State
from tests.serving import make_site


def test_keys_stay_in_force_while_the_state_cannot_be_read_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = make_site(tmp_path / "data")
    state = State(open_folder(tmp_path / "data").state_path)
    monkeypatch.setattr("expost.collector.keyring.LOOK_EVERY_SECONDS", 0)
    keyring = Keyring(state)
    caplog.set_level(logging.WARNING, "expost.collector")

    def fail() -> int:
        raise FolderError("The disk fails.")

    with monkeypatch.context() as patched:
        patched.setattr(state, "revision", fail)
        found = [keyring.find(key) for _ in range(4)]
    assert [grant and grant.site for grant in found] == ["shop"] * 4
    for _ in range(3):
        keyring.find(key)
    assert caplog.messages == ["keys cannot be read again: The disk fails.", "keys are read again"]
    state.close()

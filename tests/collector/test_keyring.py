"""Keys stay in force while the state cannot be read, and that is said once."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from expost.clock import wall_clock
from expost.collector.keyring import Keyring
from expost.errors import FolderError
from expost.lake.folder import open_folder
from expost.state.database import State
from expost.state.keys import add_key
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


def test_behind_an_empty_state_keys_stay_in_force_until_a_whole_one_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody deleted it, and a command made another: 401 would make every page drop its events for good."""
    key = make_site(tmp_path / "data")
    path = open_folder(tmp_path / "data").state_path
    state, aside = State(path), tmp_path / "aside.sqlite"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(aside)) as copy:
        source.backup(copy)
    with closing(State(aside)) as other:
        _, later = add_key(other, "shop", "write", wall_clock)
    monkeypatch.setattr("expost.collector.keyring.LOOK_EVERY_SECONDS", 0)
    keyring = Keyring(state)
    for file in path.parent.glob("state.sqlite*"):
        file.unlink()
    State(path).close()
    assert [keyring.find(key) is not None, keyring.find(later) is not None] == [True, False]
    assert "has lost its sites" in caplog.text
    for file in path.parent.glob("state.sqlite*"):
        file.unlink()
    aside.replace(path)
    assert [keyring.find(key) is not None, keyring.find(later) is not None] == [True, True]
    state.close()

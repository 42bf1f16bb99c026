from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.lake.disk import Disk
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal, sealed_segments
from expost.lake.segment import FRAME, HEADER, MARKER, OpenSegment, read_segment

contents = st.lists(
    st.binary(max_size=300) | st.binary(max_size=30).map(lambda tail: MARKER + tail), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def base() -> Path:
    return Path(tempfile.mkdtemp(prefix="expost-journal-"))


def left_open(base: Path, payloads: list[bytes]) -> tuple[Folder, Path]:
    """A folder as a killed process leaves it."""
    folder = open_folder(Path(tempfile.mkdtemp(dir=base)), create=True)
    segment = OpenSegment(folder.journal, 7, 1, Disk(sync=lambda descriptor: None))
    segment.append(payloads)
    segment.close()
    return folder, segment.path


def after_start(folder: Folder) -> list[tuple[int, bytes]]:
    """What is there after two starts: the second must change nothing."""
    for _ in range(2):
        journal = Journal(folder, lambda: 1)
        journal.write(b"new")
        journal.close()
    first, *news = [list(read_segment(path)) for path in sealed_segments(folder.journal)]
    if first == [(0, b"new")]:
        first, news = [], [first, *news]
    assert news == [[(0, b"new")], [(0, b"new")]]
    return first


def frame_ends(payloads: list[bytes]) -> list[int]:
    ends, at = [], HEADER.size
    for payload in payloads:
        at += FRAME.size + len(payload)
        ends.append(at)
    return ends


@given(payloads=contents)
@settings(max_examples=20, deadline=None)
def test_a_segment_that_is_whole_is_kept_whole(base: Path, payloads: list[bytes]) -> None:
    folder, _ = left_open(base, payloads)
    assert after_start(folder) == list(enumerate(payloads))
    assert not list(folder.rejected.iterdir())


@given(payloads=contents, share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_after_a_torn_end_every_frame_before_it_is_there(
    base: Path, payloads: list[bytes], share: float
) -> None:
    folder, path = left_open(base, payloads)
    length = int(path.stat().st_size * share)
    with path.open("r+b") as file:
        file.truncate(length)
    whole = sum(end <= length for end in frame_ends(payloads))
    assert after_start(folder) == list(enumerate(payloads))[:whole]


@given(payloads=contents, share=st.floats(0, 0.999), noise=st.binary(min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_frames_before_and_after_damage_are_there_and_the_bad_bytes_are_set_aside(
    base: Path, payloads: list[bytes], share: float, noise: bytes
) -> None:
    folder, path = left_open(base, payloads)
    original = path.read_bytes()
    at = int(len(original) * share)
    damaged = original[:at] + noise + original[at + len(noise) :]
    path.write_bytes(damaged)
    starts = [HEADER.size, *frame_ends(payloads)]
    touched = [index for index in range(len(original)) if damaged[index] != original[index]]
    hit = {
        number
        for number in range(len(payloads))
        for index in touched
        if starts[number] <= index < starts[number + 1]
    }
    found = after_start(folder)
    assert found == [(number, payload) for number, payload in enumerate(payloads) if number not in hit]
    if hit:
        kept = b"".join(part.read_bytes() for part in sorted(folder.rejected.iterdir()))
        assert len(kept) >= FRAME.size


@given(garbage=st.binary(max_size=500))
@settings(max_examples=60, deadline=None)
def test_garbage_never_stops_a_start(base: Path, garbage: bytes) -> None:
    folder, path = left_open(base, [b"x"])
    path.write_bytes(garbage)
    assert after_start(folder) == []
    assert b"".join(part.read_bytes() for part in folder.rejected.iterdir()) == garbage


def test_garbage_that_cannot_be_set_aside_yet_holds_no_later_segment_up(base: Path) -> None:
    folder, path = left_open(base, [b"x"])
    path.write_bytes(b"garbage")
    # Where the folder should be: as good as a full disk.
    folder.rejected.rmdir()
    folder.rejected.touch()
    Journal(folder, lambda: 1).close()
    assert not list(folder.journal.glob("*.open"))
    assert [each.read_bytes() for each in sealed_segments(folder.journal)] == [b"garbage"]


def test_a_frame_inside_captured_text_is_never_mistaken_for_one() -> None:
    with pytest.raises(UnicodeDecodeError):
        MARKER.decode()

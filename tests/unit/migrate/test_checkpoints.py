"""A copy goes on only into what it has left behind, and only from what it was copying."""

from pathlib import Path

import pytest

from ops.migrate.checkpoints import Checkpoints
from ops.migrate.errors import TargetNotEmptyError


def checkpoints(
    folder: Path, *, source: str = "a", seq: int = 0, files: bool = False
) -> Checkpoints:
    path = folder / "migrations" / "notes.json"
    return Checkpoints(path, source=source, seq=seq, is_durable_at_once=not files)


def copied_until(number: int, found: Checkpoints) -> None:
    found.begin()
    for done in range(number):
        found.reached(done)


def test_nothing_was_begun(tmp_path: Path) -> None:
    assert not checkpoints(tmp_path).find()


def test_what_was_handed_over_last_is_written_again(tmp_path: Path) -> None:
    copied_until(100, checkpoints(tmp_path))

    again = checkpoints(tmp_path)
    assert again.find()
    assert 80 < again.operations < 97


def test_files_begin_anew(tmp_path: Path) -> None:
    copied_until(100, checkpoints(tmp_path, files=True))

    again = checkpoints(tmp_path, files=True)
    assert again.find()
    assert again.operations == 0


@pytest.mark.parametrize(
    ("source", "seq", "words"), [("b", 0, "half copied"), ("a", 1, "committed into")]
)
def test_another_source_or_a_commit_meanwhile_ends_it(
    tmp_path: Path, source: str, seq: int, words: str
) -> None:
    checkpoints(tmp_path).begin()

    with pytest.raises(TargetNotEmptyError, match=words):
        checkpoints(tmp_path, source=source, seq=seq).find()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"source": "a"}'])
def test_a_damaged_note_is_named(tmp_path: Path, content: str) -> None:
    found = checkpoints(tmp_path)
    found.begin()
    (tmp_path / "migrations" / "notes.json").write_text(content)

    with pytest.raises(TargetNotEmptyError, match=r"notes\.json is damaged"):
        found.find()


def test_what_another_version_began_is_written_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied_until(100, checkpoints(tmp_path))

    monkeypatch.setattr("ops.migrate.checkpoints._VERSION", "another")
    again = checkpoints(tmp_path)
    assert again.find()
    assert again.operations == 0

"""Vectors that were paid for are there after a kill, and nothing else is."""

import struct
from pathlib import Path

import pytest

from ops.migrate.re_embedding.vector_file import open_vector_file
from shared.errors import WorkspaceBusyError


def vector(number: float) -> bytes:
    return struct.pack("<2f", number, 1)


def test_vectors_are_found_by_their_texts_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.vectors"
    with open_vector_file(path, dimension=2) as file:
        file.add(["a", "文"], [vector(1), vector(2)])
        file.add(["a", "b"], [vector(9), vector(3)])  # the first one stays
    with open_vector_file(path, dimension=2) as file:
        assert len(file) == 3
        assert [file.vector(text) for text in ("a", "文", "b")] == [vector(n) for n in (1, 2, 3)]
        assert "c" not in file


@pytest.mark.parametrize("kept", range(1, 64))
def test_a_record_that_was_cut_off_is_written_anew(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.vectors"
    with open_vector_file(path, dimension=2) as file:
        file.add(["a", "b"], [vector(1), vector(2)])
    path.write_bytes(path.read_bytes()[:kept])

    with open_vector_file(path, dimension=2) as file:
        assert len(file) == kept // 32
        file.add(["b"], [vector(2)])
    with open_vector_file(path, dimension=2) as file:
        assert file.vector("b") == vector(2)


@pytest.mark.parametrize("place", [20, 28])
def test_a_damaged_vector_is_not_believed(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a.vectors"
    with open_vector_file(path, dimension=2) as file:
        file.add(["a"], [vector(1)])
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)

    with open_vector_file(path, dimension=2) as file:
        assert "a" not in file


def test_a_vector_of_another_length_is_refused(tmp_path: Path) -> None:
    with (
        open_vector_file(tmp_path / "a", dimension=2) as file,
        pytest.raises(ValueError, match="4"),
    ):
        file.add(["a"], [b"1234"])


def test_two_do_not_write_into_one_file(tmp_path: Path) -> None:
    with (
        open_vector_file(tmp_path / "a", dimension=2),
        pytest.raises(WorkspaceBusyError),
        open_vector_file(tmp_path / "a", dimension=2),
    ):
        pass

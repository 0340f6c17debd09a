"""How large an archive becomes is known before it is written."""

from pathlib import Path

import numpy as np
import pytest

from ops.migrate.archive import ArchiveWriter, Head
from ops.migrate.errors import NoRoomError
from ops.migrate.room import ArchiveSize
from worker.commit.operations import Kind, Operation

DIMENSION = 8


def operations() -> list[Operation]:
    random = np.random.default_rng(1)
    texts = [" ".join(map(str, random.integers(0, 99, 200))) for _ in range(4000)]
    vectors = random.random((4000, DIMENSION), dtype=np.float32)
    rows = [
        Operation(Kind.PUT_ROWS, "full_docs", [[f"{n}", {"content": text}]])
        for n, text in enumerate(texts)
    ]
    return rows + [
        Operation(Kind.PUT_VECTORS, "chunks_vdb", [[f"{n}", {}]], (vector.tobytes(),))
        for n, vector in enumerate(vectors)
    ]


def test_the_estimate_is_near_what_is_written(tmp_path: Path) -> None:
    size = ArchiveSize(DIMENSION)
    path = tmp_path / "archive"
    with path.open("wb") as file:
        archive = ArchiveWriter(file, Head("w", DIMENSION, "", "", ""))
        for operation in operations():
            size.add(operation)
            archive.write(operation)
        archive.finish()
    written = path.stat().st_size
    assert 0.85 * written < size.bytes() < 1.3 * written


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = ArchiveSize(DIMENSION)
    assert "MB are free" in size.require_room(tmp_path)
    monkeypatch.setattr(ArchiveSize, "bytes", lambda _: 1 << 60)
    with pytest.raises(NoRoomError, match="Name another place"):
        size.require_room(tmp_path)

"""A made-up folder is one that LightRAG could have written, and that can be moved."""

from collections import Counter
from pathlib import Path

import numpy as np

from bench.migration.made_folder import make_folder
from bench.migration.made_rows import DIMENSION, Made, Size
from ops.migrate.folder.source import FolderSource
from ops.migrate.tally import section_of

SIZE = Size(entities=60, relations=120, chunks=120)


def test_no_pair_and_no_name_comes_twice() -> None:
    for size in (SIZE, Size(2000, 4000, 1000), Size(10, 20, 10)):
        made = Made(size)
        pairs = {frozenset(made.pair(number)) for number in range(size.relations)}
        assert len(pairs) == size.relations
        assert all(len(pair) == 2 for pair in pairs)
        assert len({made.name(number) for number in range(size.entities)}) == size.entities


async def test_a_made_folder_reads_as_one_of_lightrag(tmp_path: Path) -> None:
    make_folder(tmp_path / "made", SIZE)
    source = FolderSource.in_folder(tmp_path / "made", "")
    assert source.dimension() == DIMENSION
    counts: Counter[str] = Counter()
    async for operation in source.operations():
        counts[section_of(operation)] += len(operation.rows)
        for vector in operation.vectors:
            assert abs(np.linalg.norm(np.frombuffer(vector, dtype="<f4")) - 1) < 1e-5
    assert counts["relations"] == counts["relationships_vdb"] == SIZE.relations
    assert counts["entities"] == counts["entity_chunks"] == SIZE.entities
    assert counts["doc_status"] == SIZE.documents == 3
    assert counts.total() == SIZE.items

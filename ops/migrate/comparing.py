"""What was written is read back through LightRAG's own classes and compared, item by item."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from lightrag import LightRAG
from lightrag.constants import GRAPH_FIELD_SEP

from ops.migrate.tally import own_fields, section_of
from shared.errors import StoreUnavailableError
from worker.commit.operations import Kind, Operation

Row = Mapping[str, Any]

_SHOWN = 5
# What half a million roundings of single precision may add up to.
_MIN_COSINE = 0.9999


class Comparison:
    """Compares operations with what a LightRAG finds; counts what is as it should be."""

    def __init__(self, rag: LightRAG) -> None:
        self._rag = rag
        self.equal: Counter[str] = Counter()
        self.different: Counter[str] = Counter()
        self.examples: list[str] = []
        """The first few that differ, with the fields in which they do."""

    async def compare(self, operation: Operation) -> None:
        """Read the rows of an operation back."""
        section = section_of(operation)
        found = await self._read(operation)
        for (*names, row), theirs in zip(operation.rows, found, strict=True):
            ours = own_fields(section, row)
            fields = ["all"] if theirs is None else _different_fields(ours, theirs)
            if not fields:
                self.equal[section] += 1
                continue
            self.different[section] += 1
            if len(self.examples) < _SHOWN:
                self.examples.append(f"{section} {' – '.join(names)}: {', '.join(fields)}")

    def count(self, section: str, *, equal: int, different: list[str]) -> None:
        """Count items that were compared elsewhere; `different` names those that differ."""
        self.equal[section] += equal
        if different:
            self.different[section] += len(different)
        room = _SHOWN - len(self.examples)
        self.examples += [f"{section} {name}: all" for name in different[:room]]

    async def _read(self, operation: Operation) -> list[Row | None]:
        storage = getattr(self._rag, operation.storage)
        match operation.kind:
            case Kind.PUT_NODES:
                names = [name for name, _ in operation.rows]
                nodes = await storage.get_nodes_batch(names)
                return [nodes.get(name) for name in names]
            case Kind.PUT_EDGES:
                pairs = [(one, two) for one, two, _ in operation.rows]
                edges = await storage.get_edges_batch([{"src": a, "tgt": b} for a, b in pairs])
                return [edges.get(pair) for pair in pairs]
            case Kind.PUT_VECTORS:
                return await _rows_near(storage, operation)
            case _:
                keys = [key for key, _ in operation.rows]
                # The document status answers nothing at all when it has none of them.
                found: list[Row | None] = await storage.get_by_ids(keys) or [None] * len(keys)
                return found


async def vector_rows(storage: Any, keys: list[str]) -> list[Row | None]:  # noqa: ANN401 - LightRAG's
    """Ask for rows of a vector storage.

    Raises:
        StoreUnavailableError: LightRAG's class swallowed an error, and answered nothing.
    """
    rows: list[Row | None] = await storage.get_by_ids(keys)
    if keys and not rows:
        raise StoreUnavailableError
    return rows


async def _rows_near(storage: Any, operation: Operation) -> list[Row | None]:  # noqa: ANN401 - LightRAG's
    keys = [key for key, _ in operation.rows]
    rows, vectors = await asyncio.gather(
        vector_rows(storage, keys), storage.get_vectors_by_ids(keys)
    )
    near = _are_near(operation.vectors, [vectors.get(key) for key in keys])
    return [
        as_written(row) if row and is_near else None
        for row, is_near in zip(rows, near, strict=True)
    ]


def as_written(row: Row) -> Row:
    """Give a row of PostgreSQL's tables of vectors the names that it had when it was written."""
    if "chunk_ids" not in row:
        return row
    sources = {"source_id": GRAPH_FIELD_SEP.join(row["chunk_ids"])}
    if "target_id" in row:
        sources |= {"src_id": row["source_id"], "tgt_id": row["target_id"]}
    return {**row, **sources}


def _are_near(vectors: Sequence[bytes], found: Sequence[list[float] | None]) -> list[bool]:
    """Tell of each of some vectors, all of one length, whether the same was found."""
    if not vectors:
        return []
    ours = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)
    near = np.zeros(len(vectors), dtype=bool)
    length = ours.shape[1]
    there = [at for at, other in enumerate(found) if other is not None and len(other) == length]
    if there:
        one = ours[there].astype(np.float64)
        two = np.array([found[at] for at in there], dtype=np.float64)
        scale = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
        near[there] = np.einsum("ij,ij->i", one, two) >= _MIN_COSINE * scale
    return [bool(is_near) for is_near in near]


def _different_fields(ours: Row, theirs: Row) -> list[str]:
    return sorted(name for name, value in ours.items() if not _is_same(value, theirs.get(name)))


def _is_same(one: object, two: object) -> bool:
    # A store that has no such value keeps its empty one.
    if one == two or not (one or two):
        return True
    return isinstance(one, str) and isinstance(two, str) and _is_same_moment(one, two)


def _is_same_moment(one: str, two: str) -> bool:
    try:
        return moment_of(one) == moment_of(two)
    except ValueError:
        return False


def moment_of(text: str) -> datetime:
    """Read a time of LightRAG's: ISO 8601, in UTC where it does not say.

    Raises:
        ValueError: it is none.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)

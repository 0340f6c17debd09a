"""Counts and checksums of what a workspace holds, the same whatever the order and the stores."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.migrate.history.items import HISTORY, SECTIONS, UPLOADS, HistoryItem, Upload
from worker.commit.operations import Kind, Operation

_MODULUS = 1 << 256
# When a store wrote a row, and its id once more: each store has its own of them.
_BOOKKEEPING = frozenset({"_id", "create_time", "update_time"})
# PostgreSQL keeps these beside a chunk's vector, too; files do not.
_OF_TEXT_CHUNKS = frozenset({"tokens", "chunk_order_index"})
_GRAPH_SECTIONS = {
    Kind.PUT_NODES: "entities",
    Kind.REMOVE_NODES: "entities",
    Kind.PUT_EDGES: "relations",
    Kind.REMOVE_EDGES: "relations",
}


@dataclass(frozen=True)
class Sum:
    """The items of one section."""

    count: int
    digest: str
    """The sum of the items' SHA-256 modulo 2**256, in hex: an order makes no difference."""


class Tally:
    """Adds operations up."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._digests: Counter[str] = Counter()

    def add(self, operation: Operation) -> None:
        """Count the rows of an operation that puts some."""
        section = section_of(operation)
        vectors = operation.vectors or (b"",) * len(operation.rows)
        for row, vector in zip(operation.rows, vectors, strict=True):
            self._add(section, row, vector)

    def add_history(self, item: HistoryItem) -> None:
        """Count an upload, or documents with their tasks."""
        if isinstance(item, Upload):
            self._add(UPLOADS, [item.key, {"sha256": item.sha256, "size": item.size_bytes}], b"")
            return
        for entry in item:
            self._add(HISTORY, [entry.name, entry.model_dump(mode="json")], b"")

    def sums(self) -> dict[str, Sum]:
        """Return what was added, by section."""
        return {
            section: Sum(count, f"{self._digests[section]:064x}")
            for section, count in sorted(self._counts.items())
        }

    def _add(self, section: str, row: list[Any], vector: bytes) -> None:
        self._counts[section] += 1
        number = _number(section, row, vector)
        self._digests[section] = (self._digests[section] + number) % _MODULUS


def section_of(operation: Operation) -> str:
    """Name what an operation is about: a storage of LightRAG, or the entities or relations."""
    return _GRAPH_SECTIONS.get(operation.kind, operation.storage)


def own_fields(section: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an item says itself, whatever store it is in."""
    others = _BOOKKEEPING | _OF_TEXT_CHUNKS if section == "chunks_vdb" else _BOOKKEEPING
    return {name: value for name, value in fields.items() if name not in others}


def _number(section: str, row: list[Any], vector: bytes) -> int:
    *names, fields = row
    # A relation has no direction: its ends come in any order.
    item = [sorted(names), own_fields(section, fields)]
    text = json.dumps(item, ensure_ascii=False, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode() + vector).digest())


def history_of(sums: Mapping[str, Sum]) -> dict[str, Sum]:
    """Return the sums of what travels beside LightRAG's data."""
    return {section: found for section, found in sums.items() if section in SECTIONS}

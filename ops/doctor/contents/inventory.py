"""The ids of everything in one workspace, in a table on the disk: memory does not grow with it.

Stores give their ids in orders of their own. SQLite keeps a database without a name in a file that
nobody else can open, and that is gone when it is closed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Self

from lightrag.constants import GRAPH_FIELD_SEP
from lightrag.utils import compute_mdhash_id

_CACHE_KIB = 64 * 1024
_TABLES = """
CREATE TABLE entities (name, vector);
CREATE TABLE relations (one, two, vector, reversed);
CREATE TABLE sources (kind, owner, chunk);
CREATE TABLE vectors (storage, id, PRIMARY KEY (storage, id)) WITHOUT ROWID;
CREATE TABLE rows (storage, id, PRIMARY KEY (storage, id)) WITHOUT ROWID;
CREATE TABLE chunks (id PRIMARY KEY, document) WITHOUT ROWID;
CREATE TABLE statuses (id PRIMARY KEY, status) WITHOUT ROWID;
CREATE TABLE listed (document, chunk);
CREATE TABLE ledger (id PRIMARY KEY, committed, busy) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX entities_vector ON entities (vector);
CREATE INDEX entities_name ON entities (name);
CREATE INDEX relations_vector ON relations (vector);
CREATE INDEX relations_reversed ON relations (reversed);
CREATE INDEX sources_chunk ON sources (chunk, kind);
CREATE INDEX listed_document ON listed (document);
CREATE INDEX listed_chunk ON listed (chunk);
ANALYZE;
"""
# What LightRAG writes where no passage tells of something: made by hand, or brought without one.
_NO_CHUNKS = frozenset({"", "manual_creation", "UNKNOWN"})

Item = tuple[str, ...]


class Inventory:
    """Everything that a workspace's stores and the ledger name."""

    def __init__(self) -> None:
        # Questions run in threads, one after the other.
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.executescript(f"PRAGMA cache_size = -{_CACHE_KIB}; {_TABLES} BEGIN;")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._database.close()

    def add_entities(self, found: Iterable[tuple[str, str | None]]) -> None:
        """Add names and the sources that LightRAG joined."""
        entities = list(found)
        rows = [(name, compute_mdhash_id(name, prefix="ent-")) for name, _ in entities]
        self._add("entities", 2, rows)
        self._add("sources", 3, _sources("entity", entities))

    def add_relations(self, found: Iterable[tuple[str, str, str | None]]) -> None:
        """Add the names of both ends and the sources that LightRAG joined."""
        relations = [(*sorted((one, two)), sources) for one, two, sources in found]
        rows = [
            (
                one,
                two,
                compute_mdhash_id(f"{one}{two}", prefix="rel-"),
                compute_mdhash_id(f"{two}{one}", prefix="rel-"),
            )
            for one, two, _ in relations
        ]
        self._add("relations", 4, rows)
        owners = ((_joined(str(one), str(two)), sources) for one, two, sources in relations)
        self._add("sources", 3, _sources("relation", owners))

    def add_vectors(self, storage: str, ids: Iterable[str]) -> None:
        """Add the ids of one vector storage."""
        self._add("vectors", 2, ((storage, key) for key in ids))

    def add_rows(self, storage: str, ids: Iterable[str]) -> None:
        """Add the ids of one key-value storage."""
        self._add("rows", 2, ((storage, key) for key in ids))

    def add_chunks(self, found: Iterable[tuple[str, str | None]]) -> None:
        """Add ids of chunks and of their documents."""
        self._add("chunks", 2, ((key, document or "") for key, document in found))

    def add_statuses(self, found: Iterable[tuple[str, str]]) -> None:
        """Add the ids of documents and what LightRAG says of them."""
        self._add("statuses", 2, ((key, status.lower()) for key, status in found))

    def add_listed(self, found: Iterable[tuple[str, str]]) -> None:
        """Add ids of documents, each with one of the chunks that its status lists."""
        self._add("listed", 2, found)

    def add_documents(self, found: Iterable[tuple[str, bool, bool]]) -> None:
        """Add the ledger's documents: whether they are in the graph, and being worked at."""
        self._add("ledger", 3, found)

    def finish(self) -> None:
        """Make it ready for questions; takes a second for a million items."""
        self._database.execute("COMMIT")
        self._database.executescript(_INDEXES)

    def ask(self, statement: str, **parameters: str) -> Iterator[Item]:
        """Give the rows that a question has for an answer, as texts."""
        yield from self._database.execute(statement, parameters)

    def _add(self, table: str, fields: int, rows: Iterable[tuple[Any, ...]]) -> None:
        places = ", ".join("?" * fields)
        # A scan of Redis may give a key twice.
        statement = f"INSERT OR IGNORE INTO {table} VALUES ({places})"  # noqa: S608 - ours
        self._database.executemany(statement, rows)


def _sources(kind: str, owners: Iterable[tuple[str, str | None]]) -> Iterator[Item]:
    for owner, joined in owners:
        for chunk in dict.fromkeys((joined or "").split(GRAPH_FIELD_SEP)):
            if chunk not in _NO_CHUNKS:
                yield kind, owner, chunk


def _joined(one: str, two: str) -> str:
    return f"{one}{GRAPH_FIELD_SEP}{two}"

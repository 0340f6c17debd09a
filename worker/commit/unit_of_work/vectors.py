"""A vector storage of a unit of work."""

from collections.abc import Iterable
from typing import Any

from lightrag.utils import compute_mdhash_id, make_relation_vdb_ids

from worker.commit.embed import Embedder
from worker.commit.unit_of_work.failures import Failures
from worker.commit.unit_of_work.graph import GraphUnit
from worker.commit.unit_of_work.passing import passed_through

Row = dict[str, Any]


class VectorsUnit:
    """Stands where LightRAG keeps vectors: merging and editing only write and remove them."""

    def __init__(
        self,
        storage: Any,  # noqa: ANN401 - one of LightRAG's
        embedder: Embedder,
        graph: GraphUnit,
        failures: Failures,
    ) -> None:
        self._storage = storage
        self._embedder = embedder
        self._graph = graph
        self._failures = failures
        self.puts: dict[str, Row] = {}
        """The rows to embed and write, by id."""
        self._known: dict[str, bytes] = {}
        self._gone: set[str] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - embedding_func, namespace, …
        return passed_through(self._storage, name, self._failures)

    async def upsert(self, rows: dict[str, Row]) -> None:
        """Write rows; the last one of an id counts."""
        self.put_known(rows, {})
        for row in rows.values():
            self._embedder.want(row["content"])

    def put_known(self, rows: dict[str, Row], vectors: dict[str, bytes]) -> None:
        """Write rows whose vectors are known already: little-endian float32, by id."""
        self._forget(rows)
        self.puts |= {key: dict(row) for key, row in rows.items()}
        self._known |= vectors
        self._gone -= rows.keys()

    async def delete(self, keys: list[str]) -> None:
        """Remove rows."""
        for key in keys:
            self.puts.pop(key, None)
        self._forget(keys)
        self._gone |= set(keys)

    async def delete_entity(self, name: str) -> None:
        """Remove an entity's row."""
        await self.delete([compute_mdhash_id(name, prefix="ent-")])

    async def delete_entity_relation(self, name: str) -> None:
        """Remove the rows of an entity's relations, which the graph still knows."""
        pairs = await self._graph.get_node_edges(name) or []
        await self.delete([key for pair in pairs for key in make_relation_vdb_ids(*pair)])

    def read_from(self, storage: Any) -> None:  # noqa: ANN401 - one of LightRAG's
        """Read from another storage from now on, which holds the same by now."""
        self._storage = storage

    async def index_done_callback(self) -> None:
        """Nothing is flushed before the journal is written."""

    @property
    def vectors(self) -> dict[str, bytes]:
        """The vectors of the rows to be written, by id, when the embedder has finished."""
        return {
            key: self._known.get(key) or self._embedder.vector(row["content"])
            for key, row in self.puts.items()
        }

    @property
    def removals(self) -> list[str]:
        """The ids that are gone at the end."""
        return sorted(self._gone)

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._known.pop(key, None)

"""A vector storage of a unit of work."""

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]


class VectorsUnit:
    """Stands where LightRAG keeps vectors: merging only ever writes and removes them."""

    def __init__(self, storage: Any) -> None:  # noqa: ANN401 - one of LightRAG's
        self._storage = storage
        self.puts: dict[str, Row] = {}
        """The rows to embed and write, by id."""
        self.ready: dict[str, bytes] = {}
        """Vectors that are known already, by id: little-endian float32."""
        self._gone: set[str] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - embedding_func, namespace, …
        return getattr(self._storage, name)

    async def upsert(self, rows: dict[str, Row]) -> None:
        """Write rows; the last one of an id counts, and is the only one to be embedded."""
        self.puts |= {key: dict(row) for key, row in rows.items()}
        self._forget(rows)
        self._gone -= rows.keys()

    async def delete(self, keys: list[str]) -> None:
        """Remove rows."""
        for key in keys:
            self.puts.pop(key, None)
        self._forget(keys)
        self._gone |= set(keys)

    async def index_done_callback(self) -> None:
        """Nothing is flushed before the journal is written."""

    @property
    def removals(self) -> list[str]:
        """The ids that are gone at the end."""
        return sorted(self._gone)

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.ready.pop(key, None)

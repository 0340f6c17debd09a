"""A key-value storage (or the document status) of a unit of work."""

from collections.abc import Iterable
from typing import Any

from worker.commit.unit_of_work.failures import Failures
from worker.commit.unit_of_work.passing import passed_through

Row = dict[str, Any]
# One statement or pipeline reads this many keys: bounded replies, and few round trips.
_READ_AT_ONCE = 2000


class RowsUnit:
    """Stands where LightRAG keeps rows: reads fall through to the storage, writes stay here."""

    def __init__(self, storage: Any, failures: Failures) -> None:  # noqa: ANN401 - one of LightRAG's
        self._storage = storage
        self._failures = failures
        self._seen: dict[str, Row | None] = {}
        self._touched: set[str] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - namespace, global_config, …
        return passed_through(self._storage, name, self._failures)

    async def prefetch(self, keys: Iterable[str]) -> None:
        """Read many rows in few round trips; later reads find them here."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._seen]
        for start in range(0, len(missing), _READ_AT_ONCE):
            some = missing[start : start + _READ_AT_ONCE]
            with self._failures.recorded():
                # An empty reply stands for none of them: PGDocStatusStorage gives it.
                rows = await self._storage.get_by_ids(some) or [None] * len(some)
            self._seen |= dict(zip(some, rows, strict=True))

    async def get_by_id(self, key: str) -> Row | None:
        """Return a row as the unit of work sees it."""
        if key not in self._seen:
            with self._failures.recorded():
                self._seen[key] = await self._storage.get_by_id(key)
        return _copied(self._seen[key])

    async def get_by_id_strict(self, key: str) -> Row | None:
        """Return a row; an outage raises here in any case."""
        return await self.get_by_id(key)

    async def get_by_ids(self, keys: list[str]) -> list[Row | None]:
        """Return rows in the order of their keys, None where there is none."""
        await self.prefetch(keys)
        return [_copied(self._seen[key]) for key in keys]

    async def upsert(self, rows: dict[str, Row]) -> None:
        """Write rows; LightRAG goes on changing what it handed over."""
        self._seen |= {key: dict(row) for key, row in rows.items()}
        self._touched |= rows.keys()

    async def update_doc_status_fields(
        self, doc_id: str, fields: Row, *, missing_ok: bool = False
    ) -> None:
        """Change some fields of a document's status.

        Raises:
            KeyError: there is no such document.
        """
        row = await self.get_by_id(doc_id)
        if row is not None:
            await self.upsert({doc_id: {**row, **fields}})
        elif not missing_ok:
            raise KeyError(doc_id)

    async def delete(self, keys: list[str]) -> None:
        """Remove rows."""
        self._seen |= dict.fromkeys(keys)
        self._touched |= set(keys)

    def read_from(self, storage: Any) -> None:  # noqa: ANN401 - one of LightRAG's
        """Read from another storage from now on, which holds the same by now."""
        self._storage = storage

    async def index_done_callback(self) -> None:
        """Nothing is flushed before the journal is written."""

    @property
    def puts(self) -> dict[str, Row]:
        """The rows that were written, as they are at the end."""
        rows = ((key, self._seen[key]) for key in sorted(self._touched))
        return {key: row for key, row in rows if row is not None}

    @property
    def removals(self) -> list[str]:
        """The keys whose rows are gone at the end."""
        return sorted(key for key in self._touched if self._seen[key] is None)


def _copied(row: Row | None) -> Row | None:
    return None if row is None else dict(row)

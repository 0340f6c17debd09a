"""Which store holds which storage of a workspace, and journals written into all of them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from lightrag import LightRAG

from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, Journal
from shared.logs import get_logger
from shared.rag.store_errors import is_about_the_row, translated_store_errors
from shared.tracing.spans import Attributes, span
from shared.tracing.spans import Kind as SpanKind
from worker.commit.apply.files import FilesStore
from worker.commit.apply.in_flight import InFlight
from worker.commit.apply.neo4j import Neo4jStore
from worker.commit.apply.postgres import LONGEST_IDS, PostgresStore
from worker.commit.apply.redis import RedisStore
from worker.commit.apply.store import Store
from worker.commit.encoding import UnstorableRecordError, decode, encode_one
from worker.commit.operations import Kind, Operation, halves
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

OnUnstorable = Callable[[Operation, Exception], Awaitable[None]]

_log = get_logger(__name__)
# Filling a vector index is work for one core each; more would only keep questions waiting.
_VECTORS_AT_ONCE = 3


@dataclass(frozen=True)
class Stores:
    """The stores of one workspace under one lease."""

    by_storage: Mapping[str, Store]
    ledger: Ledger
    on_progress: Callable[[], None]
    """Told after each operation: a long journal is no hanging one."""

    @property
    def distinct(self) -> list[Store]:
        """Each store once."""
        return list({id(store): store for store in self.by_storage.values()}.values())

    @property
    def longest_ids(self) -> dict[str, int]:
        """The characters of a row's id that a storage takes, by storages that have a limit."""
        return {
            name: limit
            for name, limit in LONGEST_IDS.items()
            if isinstance(self.by_storage[name], PostgresStore)
        }

    async def apply_again(self, journal: Journal) -> None:
        """Write a journal into every store; what somebody else wrote of it, it writes again.

        Raises:
            FencedOffError: somebody else holds the lease.
            StoreUnavailableError: a store is away; the journal stays, and is applied again.
        """
        await self.apply(journal, self._operations(journal))

    async def apply(self, journal: Journal, operations: AsyncIterator[Operation]) -> None:
        """Write the operations of a journal into every store.

        Raises:
            FencedOffError: somebody else holds the lease.
            StoreUnavailableError: a store is away; the journal stays, and is applied again.
        """
        with translated_store_errors():
            await self._apply_all(operations, partial(self._quarantine, journal))
            for store in self.distinct:
                await store.finish(journal.seq)

    async def fill(self, operations: AsyncIterator[Operation]) -> None:
        """Write operations that are in no journal: whoever wrote them somewhere has them still.

        Raises:
            FencedOffError: somebody else holds the lease.
            StoreUnavailableError: a store is away.
            UnstorableRecordError: a store does not take a row; the sentence names it.
        """
        with translated_store_errors():
            apply = partial(self._apply, on_unstorable=_refuse)
            async with AsyncExitStack() as filling:
                for store in self.distinct:
                    await filling.enter_async_context(store.filling())
                await InFlight(apply).carry_out(operations)

    async def finish(self, seq: int) -> None:
        """Make what was written durable, as the state after a journal.

        Raises:
            FencedOffError: somebody else holds the lease.
            StoreUnavailableError: a store is away.
        """
        with translated_store_errors():
            for store in self.distinct:
                store.begin_sync()
                await store.finish(seq)

    async def repair(self, store: Store, journals: list[Journal]) -> None:
        """Write kept journals once more into one store that lost them."""
        with translated_store_errors():
            for journal in journals:
                async for operation in self._operations(journal):
                    if self.by_storage[operation.storage] is store:
                        await self._apply(operation, partial(self._quarantine, journal))
                await store.finish(journal.seq)

    def _sync_what_is_left(self, last: Operation, following: Operation) -> None:
        left = self.by_storage[last.storage]
        if left is not self.by_storage[following.storage]:
            left.begin_sync()

    async def _apply_all(
        self, operations: AsyncIterator[Operation], on_unstorable: OnUnstorable
    ) -> None:
        waiting: list[Operation] = []
        async for operation in operations:
            if waiting and not _may_join(operation, waiting):
                await self._apply_together(waiting, on_unstorable)
                self._sync_what_is_left(waiting[-1], operation)
                waiting = []
            waiting.append(operation)
        await self._apply_together(waiting, on_unstorable)

    async def _apply_together(
        self, operations: list[Operation], on_unstorable: OnUnstorable
    ) -> None:
        applied = (self._apply(operation, on_unstorable) for operation in operations)
        # All of them end before the first failure is told: none may go on behind our back.
        for outcome in await asyncio.gather(*applied, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _operations(self, journal: Journal) -> AsyncIterator[Operation]:
        async for part in self.ledger.journals.parts(journal):
            for operation in decode(part):
                yield operation

    async def _apply(self, operation: Operation, on_unstorable: OnUnstorable) -> None:
        """Carry out what can be: a row that no store takes must not stop the workspace for ever."""
        try:
            store = self.by_storage[operation.storage]
            with span(f"{store.name} {operation.kind}", _said_of(operation), kind=SpanKind.CLIENT):
                await store.apply(operation)
            self.on_progress()
        except Exception as error:
            if not is_about_the_row(error):
                raise
            if len(operation.rows) > 1:
                for half in halves(operation):
                    await self._apply(half, on_unstorable)
                return
            await on_unstorable(operation, error)

    async def _quarantine(self, journal: Journal, operation: Operation, error: Exception) -> None:
        encoded = encode_one(operation)
        digest = hashlib.sha256(encoded).hexdigest()
        kind = type(error).__name__
        _log.error(
            "operation_quarantined",
            workspace=journal.physical,
            seq=journal.seq,
            kind=operation.kind,
            storage=operation.storage,
            digest=digest,
            error=kind,
        )
        await self.ledger.journals.quarantine(
            journal, digest=digest, operation=encoded, why=f"{kind}: {error}"
        )


async def _refuse(operation: Operation, error: Exception) -> None:
    *names, _fields = operation.rows[0]
    sentence = f"No store takes {names} of {operation.storage}: {type(error).__name__}."
    raise UnstorableRecordError(sentence) from error


def _said_of(operation: Operation) -> Attributes:
    return {
        "db.collection.name": operation.storage,
        "db.operation.name": operation.kind.value,
        "db.operation.batch.size": len(operation.rows),
    }


def _may_join(operation: Operation, waiting: list[Operation]) -> bool:
    """Tell whether an operation may run beside others: vectors are many, slow, and independent."""
    kinds = {operation.kind, *(other.kind for other in waiting)}
    return kinds == {Kind.PUT_VECTORS} and len(waiting) < _VECTORS_AT_ONCE


def open_stores(
    rag: LightRAG,
    lease: CommitLease,
    ledger: Ledger,
    *,
    lease_ms: int,
    on_progress: Callable[[], None],
) -> Stores:
    """Find out from a LightRAG's storages which stores there are.

    Args:
        rag: with its storages opened.
        lease: under which everything is written.
        ledger: where the journals are.
        lease_ms: how long the lease lives without renewal; no write takes half of it.
        on_progress: called after each operation that was carried out.
    """
    timeout_ms = max(lease_ms // 2, 1000)
    if type(rag.doc_status).__name__ == "JsonDocStatusStorage":
        files = FilesStore(rag, lambda: ledger.workspaces.holds_commit_lease(lease))
        return Stores(dict.fromkeys(_ALL_STORAGES, files), ledger, on_progress)
    postgres = PostgresStore(rag, lease, timeout_ms=timeout_ms)
    found: dict[str, Store] = dict.fromkeys(_ALL_STORAGES, postgres)
    if type(rag.full_docs).__name__ == "RedisKVStorage":
        redis = RedisStore(rag, token=lease.token)
        found |= dict.fromkeys(ROW_STORAGES, redis)
    if type(rag.chunk_entity_relation_graph).__name__ == "Neo4JStorage":
        found[GRAPH_STORAGE] = Neo4jStore.of(rag, token=lease.token, timeout_s=timeout_ms / 1000)
    return Stores(found, ledger, on_progress)


_ALL_STORAGES = (*ROW_STORAGES, *VECTOR_STORAGES, GRAPH_STORAGE, STATUS_STORAGE)

"""Journals written into stores, where no server is needed to see what is told."""

from typing import Any, cast

from shared.ids import PhysicalWorkspace
from shared.ledger.records import Journal, Outcome
from worker.commit.apply.stores import Stores
from worker.commit.operations import Kind, Operation


class TakesAll:
    """A store that is told what to do, and keeps nothing."""

    name = "nowhere"

    async def apply(self, operation: Operation) -> None:
        del operation

    def begin_sync(self) -> None:
        return None

    async def finish(self, seq: int) -> None:
        del seq


async def test_each_operation_of_a_long_journal_is_progress() -> None:
    told: list[int] = []
    store: Any = TakesAll()
    ledger = cast("Any", None)  # it is asked for journals, and about rows that no store takes
    stores = Stores({"full_docs": store}, ledger, lambda: told.append(1))
    journal = Journal(PhysicalWorkspace("w"), seq=1, outcome=Outcome(), size_bytes=0)

    async def operations() -> Any:
        for _ in range(3):
            yield Operation(Kind.PUT_ROWS, "full_docs", [["id", {}]])

    await stores.apply(journal, operations())
    assert len(told) == 3

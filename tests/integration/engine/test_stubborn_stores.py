"""Stores that want a write again, or never: repeated, or put aside without stopping the rest."""

from typing import Any

import asyncpg
import pytest
from neo4j.exceptions import Neo4jError
from structlog.testing import capture_logs

from shared.ledger.records import TaskState
from tests.integration.engine.disturbed import FIRST, prepared, states
from tests.integration.engine.steps import committed, held, quarantined, twin
from tests.integration.worker.fleet import Fleet
from worker.commit.apply import neo4j
from worker.commit.apply.postgres import PostgresStore
from worker.commit.operations import Kind, Operation

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"


async def test_a_deadlock_in_neo4j_is_tried_again(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(guest, FIRST)
    check, deadlocks = neo4j._require_row, [DEADLOCK] * 2

    async def checked(transaction: Any, query: str, parameters: dict[str, Any]) -> None:
        await check(transaction, query, parameters)
        if deadlocks and "rows" not in parameters:
            raise Neo4jError._hydrate_neo4j(
                code=deadlocks.pop(), message="each waits for the other"
            )

    monkeypatch.setattr(neo4j, "_require_row", checked)
    await guest.commit()
    assert deadlocks == []
    assert await states(guest) == {TaskState.SUCCEEDED}
    assert await held(guest, FIRST) == await twin(guest, FIRST)


async def test_a_row_that_no_store_takes_is_put_aside_and_the_rest_goes_in(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await twin(guest, FIRST)
    apply = PostgresStore._apply

    async def applied(self: PostgresStore, operation: Operation, connection: Any) -> None:
        named = "Niels Bohr" in [
            row[1].get("entity_name") for row in operation.rows if isinstance(row, list)
        ]
        if operation.kind is Kind.PUT_VECTORS and named:
            raise asyncpg.DataError("no such thing")
        await apply(self, operation, connection)

    monkeypatch.setattr(PostgresStore, "_apply", applied)
    with capture_logs() as logs:
        await committed(guest, FIRST)
    assert await states(guest) == {TaskState.SUCCEEDED}
    assert await quarantined(guest) == 1
    told = [line for line in logs if line["event"] == "operation_quarantined"]
    assert [line["log_level"] for line in told] == ["error"]
    found = await held(guest, FIRST)
    assert len(found.entity_vectors) == len(expected.entity_vectors) - 1
    assert found.nodes == expected.nodes
    assert found.relation_vectors == expected.relation_vectors

"""A PostgreSQL or Neo4j that dies in the middle of an apply: the journal waits, and goes on."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from ops.local.neo4j import EmbeddedNeo4j
from ops.local.ports import free_port
from ops.local.postgres import EmbeddedPostgres
from shared.errors import LedgerUnavailableError
from shared.ledger.records import TaskState
from tests.integration.engine.disturbed import FIRST, SECOND, prepared, states
from tests.integration.engine.own_servers import OwnServer, before_first, running
from tests.integration.engine.shapes import another_workspace, open_fleet, server_variables
from tests.integration.engine.steps import committed, held, tasks_by_document
from tests.integration.worker.fleet import Fleet
from worker.commit.apply.neo4j import Neo4jStore
from worker.commit.apply.postgres import PostgresStore
from worker.commit.operations import Kind

DOCUMENTS = {**FIRST, **SECOND}


@asynccontextmanager
async def two_workspaces(variables: dict[str, str]) -> AsyncIterator[tuple[Fleet, Fleet]]:
    """One with everything in it, and one where the second half is about to be committed."""
    async with open_fleet(variables) as fleet:
        undisturbed = await another_workspace(fleet)
        for texts in (FIRST, SECOND):
            await committed(undisturbed, texts)
        await committed(fleet, FIRST)
        await prepared(fleet, SECOND)
        yield fleet, undisturbed


async def require_finished(fleet: Fleet, undisturbed: Fleet) -> None:
    await fleet.let_leases_expire()
    await fleet.commit()
    assert await states(fleet) == {TaskState.SUCCEEDED}
    assert await held(fleet, DOCUMENTS) == await held(undisturbed, DOCUMENTS)


async def test_an_apply_in_which_postgres_was_killed_is_finished_later(
    open_folder: Path, fresh_valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(
        open_folder, free_port(), user="fleet", password="of a test", database="fleet"
    )
    async with running(server) as own:
        variables = server_variables("valkey", tmp_path, server.url(), fresh_valkey)
        async with two_workspaces(variables) as (fleet, undisturbed):

            async def kill() -> None:
                assert own.child.pid is not None
                os.kill(own.child.pid, signal.SIGKILL)
                await own.child.wait()

            before_first(monkeypatch, PostgresStore, Kind.PUT_VECTORS, kill)
            with suppress(LedgerUnavailableError):  # it is in the same server
                await fleet.commit()
            await own.start()
            task = (await tasks_by_document(fleet))["new"]
            assert task.state is TaskState.COMMITTING  # it could not say why
            await require_finished(fleet, undisturbed)


@pytest.mark.long
async def test_an_apply_in_which_neo4j_stopped_is_finished_later(
    own_environment: None,
    open_folder: Path,
    fresh_valkey: str,
    fresh_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEO4J_MAX_TRANSACTION_RETRY_TIME", "1")
    server = EmbeddedNeo4j(open_folder, free_port(), password="of a test")
    async with running(server) as own:
        await neo4j_stops(own, fresh_database, fresh_valkey, tmp_path, monkeypatch)


async def neo4j_stops(
    own: OwnServer, database: str, valkey: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = server_variables("neo4j", folder, database, valkey)
    variables |= {"NEO4J_URI": own.server.uri, "NEO4J_PASSWORD": own.server.password}
    async with two_workspaces(variables) as (fleet, undisturbed):
        before_first(monkeypatch, Neo4jStore, Kind.PUT_EDGES, own.stop)
        await fleet.commit()
        for doc_id in SECOND:
            task = (await tasks_by_document(fleet))[doc_id]
            assert (task.state, task.error_code) == (TaskState.COMMITTING, "store_unavailable")
        await own.start()
        await require_finished(fleet, undisturbed)

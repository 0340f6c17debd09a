"""Edits of a graph in the ledger: tasks about no document, committed one by one, in their turn."""

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, insert, select

import migrations
from shared.errors import TaskNotRetryableError, WorkspaceNotFoundError
from shared.graph_edits import EditOperation, GraphEdit
from shared.ids import DEFAULT_WORKSPACE, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.ledger.records import CommitLease, GroupBounds, Outcome, Task, TaskKind, TaskState
from shared.ledger.tables import batches, tasks

EDIT = GraphEdit(EditOperation.EDIT_ENTITY, ["Apollo"], into="Apollo 11", fields={"weight": 1.5})
MANY = GroupBounds(tasks=10, chunks=1000)


async def request(ledger: Ledger, edit: GraphEdit = EDIT) -> Task:
    return await ledger.edits.request(DEFAULT_WORKSPACE, edit, request_id="r")


async def lease_of(ledger: Ledger) -> CommitLease:
    lease = await ledger.workspaces.take_commit_lease(
        DEFAULT_WORKSPACE, holder="test", ttl_ms=60_000
    )
    assert lease is not None
    return lease


async def test_an_edit_is_ready_at_once_and_says_what_it_changes(ledger: Ledger) -> None:
    task = await request(ledger)
    assert (task.kind, task.state, task.doc_id) == (TaskKind.EDIT, TaskState.READY, None)
    assert task.edit == EDIT
    assert await ledger.workspaces.is_awaiting_commit(DEFAULT_WORKSPACE)


async def test_every_edit_is_a_group_of_its_own_in_the_order_of_their_coming(
    ledger: Ledger,
) -> None:
    ordered = [await request(ledger) for _ in range(3)]
    lease = await lease_of(ledger)
    for expected in ordered:
        (found,) = await ledger.tasks.gather_commits(lease, MANY)
        assert found.id == expected.id
        journal = await ledger.journals.write(lease, Outcome(succeeded=[found.id]), [b""])
        assert journal is not None
        assert await ledger.journals.close(lease, journal)
        assert (await ledger.tasks.get(found.id)).state is TaskState.SUCCEEDED
    assert await ledger.tasks.gather_commits(lease, MANY) == []


async def test_an_edit_can_be_cancelled_and_retried(ledger: Ledger) -> None:
    task = await request(ledger)
    assert (await ledger.tasks.request_cancel(task.id)).state is TaskState.CANCELLED
    assert (await ledger.tasks.retry(task.id)).state is TaskState.READY


async def test_an_edit_of_a_graph_that_is_gone_is_not_retried_in_the_next_one(
    ledger: Ledger,
) -> None:
    name = WorkspaceName("again")
    await ledger.workspaces.create(name)
    task = await ledger.edits.request(name, EDIT, request_id=None)
    await ledger.tasks.request_cancel(task.id)
    drop = await ledger.workspaces.request_drop(name)
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.edits.request(name, EDIT, request_id=None)
    lease = await ledger.workspaces.take_commit_lease(name, holder="test", ttl_ms=60_000)
    assert lease is not None
    assert [found.id for found in await ledger.tasks.gather_commits(lease, MANY)] == [drop.id]
    assert await ledger.workspaces.finish_drop(lease, drop.id)
    await ledger.workspaces.create(name)
    with pytest.raises(TaskNotRetryableError):
        await ledger.tasks.retry(task.id)


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_a_ledger_of_before_keeps_its_tasks_and_their_batches(tmp_path: Path) -> None:
    """SQLite changes the kinds by copying the table, and its old rows have others hanging on."""
    url = URL.create("sqlite+aiosqlite", database=str(tmp_path / "ledger.db"))
    engine = create_engine(url.set(drivername="sqlite"))
    with engine.begin() as connection:
        upgrade(connection, "0004")
        connection.exec_driver_sql(
            "INSERT INTO workspaces (name, generation, state, created_at_ms)"
            " VALUES ('default', 1, 'active', 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO tasks (id, workspace, physical, kind, doc_id, state, file_name,"
            " content_type, size_bytes, sha256, created_at_ms, updated_at_ms)"
            " VALUES ('t', 'default', 'default', 'insert', 'd', 'extracting', '', '', 0, '', 0, 0)"
        )
        connection.execute(
            insert(batches).values(
                task_id="t", prepare_attempt=1, batch_index=0, chunk_count=1, chunks=b""
            )
        )
    engine.dispose()
    await asyncio.to_thread(migrate, url)
    ledger = await Ledger.open(url)
    async with ledger.database.reading() as connection:
        assert (await connection.execute(select(batches.c.task_id))).scalars().all() == ["t"]
        indexes = await connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        found = {row.name: row.sql for row in indexes.all()}
    assert {index.name for index in tasks.indexes} <= found.keys()
    assert "WHERE state IN" in found["uq_tasks_open"]
    assert (await request(ledger)).state is TaskState.READY
    await ledger.close()

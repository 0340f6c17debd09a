"""A workspace is copied while others commit into it: the copy is as it was at one moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lightrag import QueryParam

from ops.migrate import opening
from ops.migrate.errors import SourceChangedError
from ops.migrate.live import taking
from ops.migrate.live.snapshot import Snapshot
from ops.migrate.sections import SECTIONS
from ops.migrate.source import Source
from ops.migrate.stores_source import StoresSource
from ops.migrate.tally import Sum, Tally
from shared.errors import WorkspaceNotFoundError
from shared.ledger.holds import Holds
from shared.ledger.records import TaskState, Workspace
from tests.integration.engine.disturbed import (
    AFTER_THE_SECOND,
    THIRD,
    after_the_commit,
    before_the_commit,
    prepared,
    states,
)
from tests.integration.engine.shapes import open_fleet, server_variables
from tests.integration.engine.steps import opened
from tests.integration.worker.fleet import Fleet
from tests.models import models_of
from worker.commit.operations import Operation

Act = Callable[[], Awaitable[Any]]
Once = Callable[[Any, str, Act], None]
LEASES = {"TASK_LEASE_S": "5"}
CONTEXT = QueryParam(mode="naive", only_need_context=True)


class Nobody:
    def advance(self, operation: Operation) -> None:
        """Nobody looks."""


def long(*values: str) -> list[Any]:
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


@pytest.fixture(params=["valkey", *long("postgres", "neo4j")])
def variables(
    request: pytest.FixtureRequest, fresh_database: str, fresh_valkey: str, tmp_path: Path
) -> dict[str, str]:
    """Files have one process, so nobody is kept waiting."""
    chosen = server_variables(request.param, tmp_path, fresh_database, fresh_valkey)
    if request.param == "neo4j":
        server = request.getfixturevalue("fresh_neo4j")
        chosen |= {"NEO4J_URI": server.uri, "NEO4J_PASSWORD": server.password}
    return LEASES | chosen


@pytest.fixture
async def fleet(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    async with open_fleet(variables) as tier:
        # The tables of vectors bear the name of what made them.
        models = models_of(tier.model, tier.embeddings)
        monkeypatch.setattr(opening, "open_models", lambda _settings: models)
        yield tier


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> Once:
    """Let something happen before a function is called the next time."""

    def patch(owner: Any, name: str, act: Act) -> None:
        function = getattr(owner, name)
        acts = [act]

        async def instead(*arguments: Any, **options: Any) -> Any:
            if acts:
                await acts.pop()()
            return await function(*arguments, **options)

        monkeypatch.setattr(owner, name, instead)

    return patch


@asynccontextmanager
async def copied(fleet: Fleet, folder: Path) -> AsyncIterator[tuple[Snapshot, float]]:
    settings, name = fleet.context.settings, fleet.workspace
    snapshot, paused_s = await taking.taken(settings, name, folder, Nobody())
    with closing(snapshot):
        yield snapshot, paused_s


async def sums_of(source: Source) -> Mapping[str, Sum]:
    tally = Tally()
    async for operation in source.operations():
        tally.add(operation)
    return tally.sums()


async def shown(fleet: Fleet) -> Workspace:
    return await fleet.context.ledger.workspaces.show(fleet.workspace)


@pytest.mark.parametrize(
    "section", ["relations", *long("full_docs", "llm_response_cache", "entities_vdb", "doc_status")]
)
async def test_a_copy_has_what_a_copy_of_the_stores_that_stand_still_has(
    fleet: Fleet, tmp_path: Path, once: Once, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    """One is replaced, one removed and one added while it is read, and more before the pause."""
    await before_the_commit(fleet)
    read = StoresSource.read
    acts = [fleet.commit]

    async def disturbed(source: StoresSource, name: str, keys: Any) -> Any:
        if name == section and acts:
            await acts.pop()()
        return await read(source, name, keys)

    monkeypatch.setattr(StoresSource, "read", disturbed)
    once(Holds, "stop_commits", partial(after_the_commit, fleet))
    async with copied(fleet, tmp_path) as (snapshot, _), opened(fleet) as rag:
        now = await sums_of(StoresSource(rag))
        assert now.keys() == SECTIONS.keys()
        assert await sums_of(snapshot) == now
    assert await states(fleet) == {TaskState.SUCCEEDED}


async def test_questions_are_answered_in_the_pause_and_uploads_committed_after_it(
    fleet: Fleet, tmp_path: Path, once: Once
) -> None:
    await before_the_commit(fleet)
    await fleet.commit()
    seen: list[Any] = []

    async def use() -> None:
        async with opened(fleet) as rag:
            rag.chunks_vdb.cosine_better_than_threshold = -1.0  # rules embed without a meaning
            seen.append(await rag.aquery("Who met Niels Bohr?", CONTEXT))
        await prepared(fleet, THIRD)
        await fleet.commit()
        seen.append(await shown(fleet))

    once(taking, "take_over", use)
    async with copied(fleet, tmp_path) as (snapshot, paused_s):
        after = await shown(fleet)
        assert TaskState.READY in await states(fleet)
        await fleet.commit()
        assert await states(fleet) == {TaskState.SUCCEEDED}
        assert paused_s > 0
        assert (await sums_of(snapshot))["full_docs"].count == len(AFTER_THE_SECOND)
        entries = [entry async for page in snapshot.entries() for entry in page]
    answer, meanwhile = seen
    assert "Niels Bohr" in answer
    assert (meanwhile.paused, meanwhile.committing) == (True, True)
    assert (after.paused, after.committing) == (False, False)
    # What was committed after the pause is in the copy as what it was: accepted.
    tasks = {entry.name: {task.state for task in entry.tasks} for entry in entries}
    assert tasks["stays"] == {TaskState.SUCCEEDED}
    assert TaskState.SUCCEEDED not in tasks["last"]


async def test_a_copy_waits_for_the_group_that_is_being_committed(
    fleet: Fleet, tmp_path: Path, once: Once
) -> None:
    await before_the_commit(fleet)
    workspaces = fleet.context.ledger.workspaces
    lease = await workspaces.take_commit_lease(fleet.workspace, holder="c", ttl_ms=100_000)
    assert lease is not None
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    once(taking, "take_lease", look)

    async def copy() -> None:
        async with copied(fleet, tmp_path):
            pass

    copying = asyncio.create_task(copy())
    await looked.wait()
    assert (await shown(fleet)).paused
    assert not copying.done()
    await workspaces.release_commit_lease(lease)
    await copying


@pytest.mark.long
async def test_a_copy_whose_journals_are_gone_is_given_up(
    fleet: Fleet, tmp_path: Path, once: Once
) -> None:
    await before_the_commit(fleet)

    async def lose() -> None:
        await fleet.commit()
        async with fleet.context.ledger.database.writing() as connection:
            await connection.exec_driver_sql("DELETE FROM journals WHERE seq = 1")

    once(taking, "note_commits", lose)
    with pytest.raises(SourceChangedError, match="not known any more"):
        async with copied(fleet, tmp_path):
            pass
    assert not (await shown(fleet)).paused


@pytest.mark.long
async def test_a_copy_of_what_is_deleted_meanwhile_is_given_up(
    fleet: Fleet, tmp_path: Path, once: Once
) -> None:
    await before_the_commit(fleet)

    async def drop() -> None:
        await fleet.context.ledger.workspaces.request_drop(fleet.workspace)

    once(Holds, "stop_commits", drop)
    with pytest.raises(WorkspaceNotFoundError):
        async with copied(fleet, tmp_path):
            pass

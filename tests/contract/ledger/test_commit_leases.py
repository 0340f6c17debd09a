"""One writer per workspace: the lease, its growing token, and who is kept waiting by whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from shared.ids import DEFAULT_WORKSPACE, DocumentId, WorkspaceName
from shared.ledger import commit_leases
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, Outcome
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps


async def test_takers_of_the_commit_lease_have_one_winner(ledger: Ledger) -> None:
    leases = await asyncio.gather(*(_take(ledger, holder=f"c{n}") for n in range(30)))
    assert len([lease for lease in leases if lease is not None]) == 1


async def test_tokens_only_grow(ledger: Ledger, steps: Steps) -> None:
    tokens = []
    for _ in range(5):
        lease = await steps.lease(ttl_ms=GONE_MS)
        tokens.append(lease.token)
    lease = await steps.lease()
    await ledger.workspaces.release_commit_lease(lease)
    tokens += [lease.token, (await steps.lease()).token]
    assert tokens == sorted(set(tokens))


async def test_a_live_lease_keeps_its_own_holder_out_too(ledger: Ledger, steps: Steps) -> None:
    lease = await steps.lease()
    assert await _take(ledger, holder=lease.holder) is None
    assert await ledger.workspaces.renew_commit_lease(lease, ttl_ms=LONG_MS)


async def test_a_lease_that_was_given_back_is_over(ledger: Ledger, steps: Steps) -> None:
    await steps.ready()
    lease = await steps.lease()
    await ledger.workspaces.release_commit_lease(lease)
    assert not await ledger.workspaces.renew_commit_lease(lease, ttl_ms=LONG_MS)
    assert await steps.gather(lease) == []


async def test_a_lease_is_taken_until_it_is_given_back_or_over(
    ledger: Ledger, steps: Steps
) -> None:
    taken = ledger.workspaces.is_commit_lease_taken
    assert not await taken(DEFAULT_WORKSPACE)
    lease = await steps.lease()
    assert await taken(DEFAULT_WORKSPACE)
    await ledger.workspaces.release_commit_lease(lease)
    assert not await taken(DEFAULT_WORKSPACE)
    await steps.lease(ttl_ms=GONE_MS)
    assert not await taken(DEFAULT_WORKSPACE)


async def test_a_stale_token_changes_nothing(ledger: Ledger, steps: Steps) -> None:
    left, chosen = await steps.several_ready("left", "chosen")
    old = await steps.lease(ttl_ms=GONE_MS)
    await steps.gather(old)
    journal = await steps.journal(old, chosen)
    new = await steps.lease()
    before = await _rows(steps)
    assert await steps.gather(old) == []
    late = Outcome(succeeded=[left.id])
    assert await ledger.journals.write(old, late, [b"late"]) is None
    assert not await ledger.journals.close(old, journal)
    await steps.postpone(old, left, chosen)
    for task in (left, chosen):
        await ledger.tasks.fail_commit(old, task.id, error_code="late", error_detail="late")
    await ledger.tasks.hand_commits_back(old, [left.id, chosen.id])
    await ledger.tasks.explain_commit_delay(old, error_code="late", error_detail="late")
    await ledger.workspaces.release_commit_lease(old)
    assert not await ledger.workspaces.renew_commit_lease(old, ttl_ms=LONG_MS)
    assert await _rows(steps) == before
    assert await ledger.workspaces.renew_commit_lease(new, ttl_ms=LONG_MS)


async def test_a_workspace_waits_until_its_work_is_taken(ledger: Ledger, steps: Steps) -> None:
    assert await ledger.workspaces.awaiting_commit(limit=10) == []
    await steps.ready()
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]
    lease = await steps.lease()
    assert await ledger.workspaces.awaiting_commit(limit=10) == []
    await steps.journal(lease, *await steps.gather(lease))
    await ledger.workspaces.release_commit_lease(lease)
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]


@pytest.mark.parametrize("what", ["revision", "delete", "drop"])
async def test_what_waits_for_a_half_written_document_calls_no_committer(
    ledger: Ledger, steps: Steps, what: str
) -> None:
    lease, task = await steps.advanced()
    [again] = await steps.gather(lease)
    await steps.postpone(lease, again, delay_ms=LONG_MS)
    if what == "revision":
        await steps.ready(content="two")
    elif what == "delete":
        await ledger.documents.request_delete(
            DEFAULT_WORKSPACE, DocumentId(task.doc_id or ""), request_id=None
        )
    else:
        await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    assert await steps.gather(lease) == []
    await ledger.workspaces.release_commit_lease(lease)
    assert await ledger.workspaces.awaiting_commit(limit=10) == []


async def test_the_workspace_that_waited_longest_is_first(ledger: Ledger, steps: Steps) -> None:
    other = WorkspaceName("other")
    await ledger.workspaces.create(other)
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO tasks (id, workspace, physical, kind, doc_id, state, file_name,"
            " content_type, size_bytes, sha256, created_at_ms, updated_at_ms, ready_at_ms)"
            " VALUES ('t', 'other', 'other', 'delete', 'd', 'ready', '', '', 0, '', 0, 0, 0)"
        )
    await steps.ready()
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE, other]
    await ledger.workspaces.release_commit_lease(await steps.lease())
    assert await ledger.workspaces.awaiting_commit(limit=10) == [other, DEFAULT_WORKSPACE]
    assert await ledger.workspaces.awaiting_commit(limit=1) == [other]


@pytest.mark.parametrize("name", ["default", "nowhere"])
async def test_a_lease_names_the_generation_it_writes(ledger: Ledger, name: str) -> None:
    lease = await _take(ledger, holder="c", name=name)
    assert (lease and lease.physical) == ("default" if name == "default" else None)


@pytest.fixture
async def impatient(migrated_database: URL, ledger: Ledger) -> AsyncIterator[Ledger]:
    """Another process, whose statements wait for no lock longer than a moment."""
    if migrated_database.get_backend_name() == "sqlite":
        pytest.skip("SQLite has one writer, so nothing is held beside another's transaction")
    opened = await Ledger.open(migrated_database, pool_size=1)
    async with opened.database.single() as connection:  # the pool's only connection
        await connection.exec_driver_sql("SET lock_timeout = '300ms'")
    await ledger.ping()
    yield opened
    await opened.close()


async def test_the_heartbeat_is_not_kept_waiting_by_a_transaction_that_holds_the_lease(
    ledger: Ledger, steps: Steps, impatient: Ledger
) -> None:
    lease = await steps.lease()
    async with _held(ledger, lease):
        assert await impatient.workspaces.renew_commit_lease(lease, ttl_ms=GONE_MS)
        await impatient.workspaces.release_commit_lease(lease)


async def test_a_taker_waits_for_a_transaction_that_holds_the_lease(
    ledger: Ledger, steps: Steps, impatient: Ledger
) -> None:
    lease = await steps.lease(ttl_ms=GONE_MS)
    async with _held(ledger, lease):
        with pytest.raises(DBAPIError, match="lock timeout"):
            await _take(impatient, holder="thief")
    assert await _take(impatient, holder="thief") is not None


async def test_ordering_a_removal_waits_for_a_group_that_is_being_moved(
    ledger: Ledger, steps: Steps, impatient: Ledger
) -> None:
    lease = await steps.lease()
    async with _held(ledger, lease):
        with pytest.raises(DBAPIError, match="lock timeout"):
            await impatient.workspaces.request_drop(DEFAULT_WORKSPACE)


@asynccontextmanager
async def _held(ledger: Ledger, lease: CommitLease) -> AsyncIterator[None]:
    async with ledger.database.writing() as connection:
        assert await commit_leases.hold(connection, lease)
        yield


async def _rows(steps: Steps) -> list[tuple[object, ...]]:
    async with steps.ledger.database.reading() as connection:
        return [
            tuple(row)
            for table in ("tasks", "documents", "journals", "journal_parts")
            for row in await connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))  # noqa: S608 - constants
        ]


async def _take(ledger: Ledger, *, holder: str, name: str = "default") -> CommitLease | None:
    return await ledger.workspaces.take_commit_lease(
        WorkspaceName(name), holder=holder, ttl_ms=LONG_MS
    )

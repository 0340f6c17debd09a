"""The heartbeat keeps a lease exactly as long as its holder may and does work."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import URL

from shared.errors import LedgerUnavailableError
from shared.ids import PhysicalWorkspace, WorkspaceName
from shared.ledger.records import CommitLease
from worker.commit import heartbeat as heartbeat_module
from worker.commit.heartbeat import Heartbeat, kept_alive

LEASE = CommitLease(WorkspaceName("w"), PhysicalWorkspace("w"), "holder", 7)
SHORT_MS = 600  # renewed every 200 ms: a busy machine may be late by a hundred
LONG_S = 60.0


class FakeLedger:
    """Answers renewals from another thread."""

    def __init__(self, answer: Callable[[], bool]) -> None:
        self.workspaces = self
        self.answer = answer
        self.hangs = False
        self.renewed = threading.Semaphore(0)
        self.closed = False

    async def open(self, _url: URL, *, pool_size: int) -> "FakeLedger":
        assert pool_size == 1
        return self

    async def renew_commit_lease(self, lease: CommitLease, *, ttl_ms: int) -> bool:
        assert (lease, ttl_ms) == (LEASE, SHORT_MS)
        self.renewed.release()
        if self.hangs:
            await asyncio.Event().wait()
        return self.answer()

    async def close(self) -> None:
        self.closed = True


def install(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], bool]) -> FakeLedger:
    ledger = FakeLedger(answer)
    monkeypatch.setattr(heartbeat_module, "Ledger", ledger)
    return ledger


def a_heartbeat(*, stall_s: float = LONG_S) -> Heartbeat:
    return Heartbeat(URL.create("sqlite"), LEASE, ttl_ms=SHORT_MS, stall_s=stall_s)


async def work_for_ever(heartbeat: Heartbeat) -> None:
    async with kept_alive(heartbeat):
        await asyncio.Event().wait()


async def expect_stopped(heartbeat: Heartbeat) -> None:
    async with asyncio.timeout(LONG_S):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(work_for_ever(heartbeat))
    assert heartbeat.lost


def unavailable() -> bool:
    raise LedgerUnavailableError


async def test_a_lease_is_kept_while_its_holder_works(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = install(monkeypatch, lambda: True)
    heartbeat = a_heartbeat()
    async with kept_alive(heartbeat):
        for _ in range(5):  # longer than one renewal lasts
            assert await asyncio.to_thread(ledger.renewed.acquire, timeout=LONG_S)
    assert (heartbeat.lost, ledger.closed) == (False, True)


async def test_the_holder_is_stopped_when_somebody_else_has_the_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = install(monkeypatch, lambda: False)
    await expect_stopped(a_heartbeat())
    assert ledger.closed


async def test_the_holder_is_stopped_when_the_ledger_stays_away_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, unavailable)
    await expect_stopped(a_heartbeat())


async def test_the_holder_is_stopped_when_the_ledger_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, lambda: True).hangs = True
    await expect_stopped(a_heartbeat())


async def test_a_short_absence_of_the_ledger_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([False] + [True] * 1000)

    def once_away() -> bool:
        return next(answers) or unavailable()

    ledger = install(monkeypatch, once_away)
    heartbeat = a_heartbeat()
    async with kept_alive(heartbeat):
        for _ in range(4):
            assert await asyncio.to_thread(ledger.renewed.acquire, timeout=LONG_S)
    assert not heartbeat.lost


async def test_a_holder_that_gets_nowhere_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, lambda: True)
    await expect_stopped(a_heartbeat(stall_s=0.01))


async def test_a_holder_that_gets_on_is_not_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(heartbeat_module, "_boot_clock_s", lambda: now_s)
    heartbeat = a_heartbeat(stall_s=0.05)
    ledger = install(monkeypatch, lambda: True)
    async with kept_alive(heartbeat):
        for _ in range(5):
            assert await asyncio.to_thread(ledger.renewed.acquire, timeout=LONG_S)
            now_s += 0.03
            heartbeat.progressed()
    assert not heartbeat.lost


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_the_holder_is_stopped_when_the_heartbeat_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> bool:
        raise KeyError

    install(monkeypatch, broken)
    await expect_stopped(a_heartbeat())


async def test_an_error_of_the_work_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger: Any = install(monkeypatch, lambda: True)
    with pytest.raises(KeyError):
        async with kept_alive(a_heartbeat()):
            raise KeyError
    assert ledger.closed

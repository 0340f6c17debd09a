"""Work under a lease stops when the lease does."""

import asyncio

import pytest

from shared.errors import DeadlineExceededError, LedgerUnavailableError
from shared.ledger.records import LeaseStatus
from worker.leased import CancelRequestedError, LeaseLostError, run_leased

SHORT_MS = 30  # renewed every 10 ms


class Renewals:
    """Answers with the given statuses, then keeps saying the last one."""

    def __init__(self, *answers: LeaseStatus | Exception) -> None:
        self._answers = list(answers)
        self.asked = asyncio.Event()

    async def __call__(self) -> LeaseStatus:
        self.asked.set()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def endless(stopped: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        stopped.set()


async def test_the_result_of_the_work_comes_back() -> None:
    async def work() -> int:
        return 7

    held = Renewals(LeaseStatus.HELD)
    assert await run_leased(work(), renew=held, lease_ms=SHORT_MS, timeout_s=60) == 7


async def test_an_error_of_the_work_comes_through() -> None:
    async def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await run_leased(work(), renew=Renewals(LeaseStatus.HELD), lease_ms=SHORT_MS, timeout_s=60)


@pytest.mark.parametrize(
    ("status", "ending"),
    [(LeaseStatus.LOST, LeaseLostError), (LeaseStatus.CANCEL_REQUESTED, CancelRequestedError)],
)
async def test_work_is_cancelled_when_the_lease_ends(
    status: LeaseStatus, ending: type[BaseException]
) -> None:
    stopped = asyncio.Event()
    with pytest.raises(ending):
        await run_leased(
            endless(stopped),
            renew=Renewals(LeaseStatus.HELD, status),
            lease_ms=SHORT_MS,
            timeout_s=60,
        )
    assert stopped.is_set()


async def test_a_short_absence_of_the_ledger_costs_nothing() -> None:
    renewals = Renewals(LedgerUnavailableError(), LeaseStatus.HELD)

    async def work() -> str:
        await renewals.asked.wait()
        return "done"

    assert await run_leased(work(), renew=renewals, lease_ms=3000, timeout_s=60) == "done"


async def test_a_ledger_that_stays_away_ends_the_lease() -> None:
    stopped = asyncio.Event()
    with pytest.raises(LeaseLostError):
        await run_leased(
            endless(stopped),
            renew=Renewals(LedgerUnavailableError()),
            lease_ms=SHORT_MS,
            timeout_s=60,
        )
    assert stopped.is_set()


async def test_work_that_takes_too_long_is_ended_with_a_code() -> None:
    stopped = asyncio.Event()
    with pytest.raises(DeadlineExceededError):
        await run_leased(
            endless(stopped),
            renew=Renewals(LeaseStatus.HELD),
            lease_ms=SHORT_MS,
            timeout_s=0.01,
        )
    assert stopped.is_set()


async def test_cancelling_the_caller_cancels_the_work() -> None:
    stopped = asyncio.Event()
    renewals = Renewals(LeaseStatus.HELD)
    caller = asyncio.create_task(
        run_leased(endless(stopped), renew=renewals, lease_ms=SHORT_MS, timeout_s=60)
    )
    await renewals.asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert stopped.is_set()

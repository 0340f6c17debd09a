"""How callers of a process pass its gate, with both books behind it."""

import asyncio

import pytest

from shared.errors import ModelUnavailableError
from shared.rag.budget.base import Grant, Limits, Order, PauseReason, Refusal
from shared.rag.budget.gate import Gate
from shared.rag.calls import Urgency
from tests.contract.budget.callers import Calls, Opened, Watched, refuse
from tests.contract.budget.conftest import OpenBook


async def test_two_processes_never_run_more_than_the_limit_and_all_get_through(
    open_book: OpenBook, opened: Opened, calls: Calls
) -> None:
    book = open_book(Limits(4, query_share=0))
    gates = [opened(book), opened(book)]
    tasks = [asyncio.create_task(calls.make(gates[n % 2])) for n in range(60)]
    for _ in range(60):
        await calls.wait_for(1)
        calls.may_end.release()
    await asyncio.gather(*tasks)
    assert calls.most == 4


async def test_a_call_that_ends_lets_the_next_one_in(
    open_book: OpenBook, opened: Opened, calls: Calls
) -> None:
    book = Watched(open_book(Limits(1)))
    gate = opened(book)
    tasks = [asyncio.create_task(calls.make(gate)) for _ in range(100)]
    for _ in range(100):
        await calls.wait_for(1)
        calls.may_end.release()
    await asyncio.gather(*tasks)
    # One exchange a call, which ends one and starts the next, and a few polls on slow machines.
    starts = [order for order in book.orders if order.ingestion_tokens and not order.ingestion]
    assert 100 <= len(starts) <= 110


async def test_a_crowd_is_one_order(open_book: OpenBook, opened: Opened, calls: Calls) -> None:
    book = Watched(open_book(Limits(40, query_share=0)))
    gate = opened(book)
    tasks = [asyncio.create_task(calls.make(gate)) for _ in range(500)]
    await calls.wait_for(40)
    assert len(book.orders) == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_those_who_come_behind_others_order_nothing(
    open_book: OpenBook, opened: Opened, calls: Calls
) -> None:
    book = Watched(open_book(Limits(1)))
    gate = opened(book)
    tasks = [asyncio.create_task(calls.make(gate)) for _ in range(2)]
    await calls.wait_for(1)
    for _ in range(200):
        tasks.append(asyncio.create_task(calls.make(gate)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(book.orders) < 50  # those are polls, each after a pause
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_calls_of_a_commit_overtake_others_of_the_same_process(
    open_book: OpenBook, opened: Opened, calls: Calls
) -> None:
    gate = opened(open_book(Limits(2, query_share=0)))
    tasks = [asyncio.create_task(calls.make(gate)) for _ in range(70)]
    await calls.wait_for(2)
    commit = Calls()
    tasks += [asyncio.create_task(commit.make(gate, Urgency.COMMIT)) for _ in range(2)]
    calls.may_end.release()
    calls.may_end.release()
    await commit.wait_for(2)
    assert calls.running == 0
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_query_overtakes_ingestion_that_waits(
    open_book: OpenBook, opened: Opened, calls: Calls
) -> None:
    gate = opened(open_book(Limits(1)))
    ingesting = [asyncio.create_task(calls.make(gate)) for _ in range(3)]
    await calls.wait_for(1)
    question = Calls()
    asking = asyncio.create_task(question.make(gate, Urgency.QUERY))
    calls.may_end.release()
    await question.wait_for(1)
    question.may_end.release()
    await asking
    for _ in ingesting:
        calls.may_end.release()
    await asyncio.gather(*ingesting)


async def test_a_caller_that_goes_away_leaves_no_slot_behind(
    open_book: OpenBook, opened: Opened, calls: Calls
) -> None:
    gate = opened(open_book(Limits(1)))
    for _ in range(3):
        running, waiting = (asyncio.create_task(calls.make(gate)) for _ in range(2))
        await calls.wait_for(1)
        waiting.cancel()
        running.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
    last = asyncio.create_task(calls.make(gate))
    await calls.wait_for(1)
    calls.may_end.release()
    await last


@pytest.mark.parametrize("just", ["before", "after"])
async def test_a_caller_admitted_as_it_goes_away_leaves_no_slot_behind(
    open_book: OpenBook, opened: Opened, calls: Calls, just: str
) -> None:
    class GoesAway(Watched):
        async def exchange(self, order: Order) -> Grant:
            grant = await super().exchange(order)
            if just == "before":
                leaving.cancel()
            else:  # it is admitted by then, but has not noticed
                asyncio.get_running_loop().call_soon(leaving.cancel)
            return grant

    gate = opened(GoesAway(open_book(Limits(1))))
    leaving = asyncio.create_task(calls.make(gate))
    await asyncio.gather(leaving, return_exceptions=True)
    staying = asyncio.create_task(calls.make(gate))
    await calls.wait_for(1)
    calls.may_end.release()
    await staying


async def test_a_gate_without_callers_is_silent(open_book: OpenBook, opened: Opened) -> None:
    gate = opened(open_book(Limits(4)))
    await refuse(gate, Refusal(PauseReason.RATE_LIMITED, 0))
    assert gate._loop is not None
    await gate._loop
    assert not gate._is_busy()


async def test_a_fault_of_the_book_reaches_the_callers(opened: Opened) -> None:
    class Broken:
        async def exchange(self, order: Order) -> Grant:
            raise AssertionError("a bug")

        async def close(self) -> None:
            pass

    gate = opened(Broken())
    with pytest.raises(AssertionError, match="a bug"):
        async with gate.call(1, Urgency.REST):
            pass
    assert gate._loop is not None
    with pytest.raises(AssertionError):
        await gate._loop


async def test_a_call_that_ends_after_the_gate_was_closed_opens_nothing_again(
    open_book: OpenBook, calls: Calls
) -> None:
    book = Watched(open_book(Limits(1)))
    gate = Gate(book)
    running = asyncio.create_task(calls.make(gate))
    await calls.wait_for(1)
    waiting = asyncio.create_task(calls.make(gate))
    await asyncio.sleep(0.1)
    await gate.close()
    with pytest.raises(ModelUnavailableError):
        await asyncio.wait_for(waiting, 1)
    told = len(book.orders)
    calls.may_end.release()
    await running
    await asyncio.sleep(0.1)
    assert len(book.orders) == told
    with pytest.raises(ModelUnavailableError):
        async with gate.call(1, Urgency.REST):
            pass

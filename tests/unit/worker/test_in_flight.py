"""Operations beside each other: never of two kinds, never too many, and none left behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from worker.commit.apply.in_flight import MOST, InFlight
from worker.commit.operations import Kind, Operation

ROWS = [Operation(Kind.PUT_ROWS, "full_docs", [[str(number), {}]]) for number in range(3 * MOST)]
STATUS = Operation(Kind.PUT_STATUS, "doc_status", [["1", {}]])


class Slow:
    """Carries operations out when it is told to, and remembers what was at work together."""

    def __init__(self) -> None:
        self.working: list[Operation] = []
        self.together: list[list[Operation]] = []
        self.done: list[Operation] = []

    async def apply(self, operation: Operation) -> None:
        self.working.append(operation)
        self.together.append(list(self.working))
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.done.append(operation)
        finally:
            self.working.remove(operation)


async def given(*operations: Operation) -> AsyncIterator[Operation]:
    for operation in operations:
        yield operation


async def test_some_of_a_kind_are_carried_out_at_once_and_another_kind_waits() -> None:
    store = Slow()
    await InFlight(store.apply).carry_out(given(*ROWS, STATUS))
    assert store.done == [*ROWS, STATUS]
    assert 1 < max(map(len, store.together)) <= MOST
    assert store.together[-1] == [STATUS]


async def test_the_one_that_came_so_many_before_is_done_when_the_next_is_asked_for() -> None:
    first_stays = asyncio.Event()
    handed: list[Operation] = []

    async def apply(operation: Operation) -> None:
        if operation is ROWS[0]:
            await first_stays.wait()

    async def counted() -> AsyncIterator[Operation]:
        for operation in ROWS:
            handed.append(operation)
            yield operation

    carrying = asyncio.create_task(InFlight(apply).carry_out(counted()))
    for _ in range(5 * len(ROWS)):
        await asyncio.sleep(0)
    assert len(handed) == MOST + 1
    first_stays.set()
    await carrying
    assert handed == ROWS


async def test_when_one_fails_none_goes_on() -> None:
    store = Slow()

    async def apply(operation: Operation) -> None:
        if operation is ROWS[1]:
            raise ValueError(operation)
        await store.apply(operation)

    with pytest.raises(ValueError, match="full_docs"):
        await InFlight(apply).carry_out(given(*ROWS))
    assert not store.working
    assert STATUS not in store.done


async def test_when_reading_fails_none_goes_on() -> None:
    store = Slow()

    async def damaged() -> AsyncIterator[Operation]:
        yield ROWS[0]
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        await InFlight(store.apply).carry_out(damaged())
    assert not store.working

"""No task that LightRAG started outlives the work it was started for."""

import asyncio

import pytest

from worker.crew import gathered_crew


class Storage:
    namespace = "entities"

    def __init__(self) -> None:
        self.written: list[int] = []
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def upsert(self, number: int) -> int:
        self.reached.set()
        await self.open.wait()
        self.written.append(number)
        return number


async def work(storage: Storage, calls: int) -> None:
    """Start tasks and wait for them the way LightRAG does."""
    await asyncio.wait([asyncio.create_task(storage.upsert(n)) for n in range(calls)])


async def run(storage: Storage) -> None:
    async with gathered_crew() as crew:
        await work(crew.watch_storage(storage), 3)


async def test_cancelled_work_leaves_nobody_writing() -> None:
    storage = Storage()
    working = asyncio.create_task(run(storage))
    await storage.reached.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    storage.open.set()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert storage.written == []


async def test_work_that_is_left_alone_ends_as_ever() -> None:
    storage = Storage()
    storage.open.set()
    await run(storage)
    assert sorted(storage.written) == [0, 1, 2]


async def test_whoever_comes_late_finds_the_work_over() -> None:
    storage = Storage()
    storage.open.set()
    async with gathered_crew() as crew:
        watched = crew.watch_storage(storage)
    with pytest.raises(asyncio.CancelledError):
        await watched.upsert(1)
    assert storage.written == []


async def test_what_is_not_a_coroutine_passes_through() -> None:
    async with gathered_crew() as crew:
        assert crew.watch_storage(Storage()).namespace == "entities"

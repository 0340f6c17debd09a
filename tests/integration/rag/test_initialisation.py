"""One process of the fleet at a time creates LightRAG's tables, and nobody waits for ever."""

import asyncio

import pytest

from shared.ids import PhysicalWorkspace
from shared.rag import initialisation
from shared.rag.initialisation import alone_in_the_fleet
from shared.rag.pool import RagPool
from shared.settings import Settings
from tests.models import CountingModel, models_of


async def test_a_second_process_gives_up_in_time_and_gets_its_turn_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with alone_in_the_fleet(settings):
        with monkeypatch.context() as hurried:
            hurried.setattr(initialisation, "_LOCK_TIMEOUT_S", 0.5)
            with pytest.raises(TimeoutError):
                await alone_in_the_fleet(settings).__aenter__()
    async with alone_in_the_fleet(settings):
        pass


async def test_who_finds_everything_created_waits_for_nobody(settings: Settings) -> None:
    async def opened(name: str) -> None:
        pool = RagPool(settings, models_of(CountingModel()))
        async with pool.use(PhysicalWorkspace(name)):
            pass
        await pool.close()

    await opened("known")
    async with alone_in_the_fleet(settings):
        await opened("known")
        unknown = asyncio.create_task(opened("unknown"))
        await opened("known")
        assert not unknown.done()
    await unknown

"""Open workspaces: one instance each, closed when nobody used it for a while."""

from dataclasses import replace

import pytest

from shared.ids import PhysicalWorkspace
from shared.rag.models import Models
from shared.rag.pool import RagPool
from shared.settings import Settings


def limited(settings: Settings, **limits: float) -> Settings:
    return replace(settings, limits=settings.limits.model_copy(update=limits))


async def test_one_instance_serves_all_who_use_a_workspace(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as one, rags.use(workspace) as other:
        assert one is other


async def test_a_workspace_that_was_used_just_now_stays_open(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as before:
        pass
    await rags.close_idle()
    async with rags.use(workspace) as after:
        assert after is before


@pytest.mark.parametrize("limits", [{"workspace_idle_s": 0}, {"max_open_workspaces": 0}])
async def test_an_idle_or_surplus_workspace_is_closed_and_one_in_use_is_not(
    settings: Settings, models: Models, workspace: PhysicalWorkspace, limits: dict[str, float]
) -> None:
    pool = RagPool(limited(settings, **limits), models)
    async with pool.use(workspace) as before:
        await pool.close_idle()
        async with pool.use(workspace) as still:
            assert still is before
    await pool.close_idle()
    async with pool.use(workspace) as after:
        assert after is not before
    await pool.close()

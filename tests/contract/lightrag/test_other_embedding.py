"""A workspace that another embedding model filled can still be emptied."""

from collections.abc import AsyncIterator
from dataclasses import replace
from unittest.mock import AsyncMock, Mock

import pytest

from shared.ids import PhysicalWorkspace
from shared.rag.models import Models
from shared.rag.pool import RagPool
from shared.settings import Settings
from tests.contract.lightrag.committing import APOLLO, put
from worker.commit.drop import drop_workspace


@pytest.fixture
async def other_rags(settings: Settings, models: Models) -> AsyncIterator[RagPool]:
    other = replace(models, embedding_name="other", embedding_dim=8)
    pool = RagPool(settings, other)
    yield pool
    await pool.close()


async def test_what_another_model_filled_is_removed_under_that_models_name(
    rags: RagPool, other_rags: RagPool, workspace: PhysicalWorkspace, models: Models
) -> None:
    async with rags.use(workspace) as rag:
        await put(rag, "apollo", APOLLO)
    await rags.forget(workspace)
    async with other_rags.opened_with(
        workspace,
        embedding_name=models.embedding_name,
        embedding_dim=models.embedding_dim,
    ) as rag:
        assert await rag.get_graph_labels() != []
        task, session = Mock(), Mock(rag=rag)
        session.context.ledger.workspaces = AsyncMock()  # the lease is held, the drop is noted
        await drop_workspace(task, session)
    async with other_rags.use(workspace) as rag:  # which its own model may fill now
        assert await rag.get_graph_labels() == []
        assert await rag.full_docs.get_by_id("apollo") is None

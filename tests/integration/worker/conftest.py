"""Worker tiers for tests: in this process over files, and real processes over real servers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import structlog
from sqlalchemy import make_url

from shared.connections import broker_url, ledger_url
from shared.contract.celery_sender import CelerySender
from shared.contract.sender import MemorySender
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.memory import MemoryObjectStore
from shared.rag.pool import RagPool
from shared.settings import Settings, load_settings
from tests.integration.worker.fleet import Fleet, PlainParser
from tests.integration.worker.processes import Stack, stopped_at_the_end
from tests.model_server import KEY, ModelServer
from tests.models import CountingModel, HashEmbeddings, models_of
from worker.context import WorkerContext

if TYPE_CHECKING:
    from worker.parsing import ParserPool


@pytest.fixture(scope="session", autouse=True)
def plain_traces() -> None:
    """Log traces as our processes do; structlog's own take seconds each."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Small chunks and batches, so that a page of text is a large document."""
    return load_settings(
        None,
        overrides={
            "DATA_DIR": str(tmp_path),
            "USE_EXTERNAL_STORAGE": "false",
            "CHUNK_SIZE": "50",
            "CHUNK_OVERLAP_SIZE": "5",
            "EXTRACT_BATCH_CHUNKS": "4",
            "MAX_ATTEMPTS": "3",
        },
    )


@pytest.fixture
def workspace(request: pytest.FixtureRequest) -> WorkspaceName:
    # LightRAG keeps file storages' data in process globals by workspace: every test has its own.
    return WorkspaceName("w" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12])


@pytest.fixture
async def fleet(settings: Settings, workspace: WorkspaceName) -> AsyncIterator[Fleet]:
    migrate(ledger_url(settings))
    ledger = await Ledger.open(ledger_url(settings))
    await ledger.workspaces.create(workspace)
    sender, objects, parser = MemorySender(), MemoryObjectStore(), PlainParser()
    model, embeddings = CountingModel(), HashEmbeddings()
    rags = RagPool(settings, models_of(model, embeddings))
    context = WorkerContext(
        settings=settings,
        ledger=ledger,
        objects=objects,
        sender=sender,
        rags=rags,
        parsers=cast("ParserPool", parser),
    )
    yield Fleet(context, workspace, sender, objects, model, embeddings, parser)
    for gate in (model.open, embeddings.open, parser.open):
        gate.set()
    await rags.close()
    await ledger.close()


@pytest.fixture
async def stack(fresh_database: str, fresh_valkey: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """Real servers without a worker yet."""
    postgres, valkey = make_url(fresh_database), make_url(fresh_valkey)
    with ModelServer().running() as models:
        variables = {
            "USE_EXTERNAL_STORAGE": "true",
            "DATA_DIR": str(tmp_path),
            "POSTGRES_HOST": str(postgres.host),
            "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_USER": str(postgres.username),
            "POSTGRES_PASSWORD": str(postgres.password),
            "POSTGRES_DB": str(postgres.database),
            "REDIS_HOST": str(valkey.host),
            "REDIS_PORT": str(valkey.port),
            "REDIS_PASSWORD": str(valkey.password),
            # Longer than a busy machine ever stalls, short enough to wait for.
            "TASK_LEASE_S": "10",
            "LOG_FORMAT": "json",
        }
        for prefix in ("LLM", "EMBEDDING"):
            # A model of its own each: they would share one budget, and neither gets all of it.
            variables |= {
                f"{prefix}_PROVIDER": "openai",
                f"{prefix}_BASE_URL": models.url,
                f"{prefix}_API_KEY": KEY,
                f"{prefix}_MODEL": prefix.lower(),
            }
        settings = load_settings(None, overrides=variables)
        await asyncio.to_thread(migrate, ledger_url(settings))
        ledger = await Ledger.open(ledger_url(settings))
        sender = CelerySender(broker_url(settings))
        opened = Stack(settings, variables, ledger, sender, models, tmp_path)
        async with stopped_at_the_end(opened):
            yield opened

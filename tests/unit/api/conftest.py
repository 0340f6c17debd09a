"""The API over a real ledger in a SQLite file and the shipped fakes of everything else."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
import pytest
from sqlalchemy import URL
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.resources import Resources
from shared.contract.sender import MemorySender
from shared.errors import QueueUnavailableError
from shared.ids import PhysicalWorkspace
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.memory import MemoryObjectStore
from shared.probes import Probe
from shared.rag.calls import CallContext, current_call
from shared.rag.questions import Answer, OnProgress, Question
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from shared.rag.pool import RagPool


@dataclass
class FakeRags:
    """Stands for open workspaces and answers from a table."""

    answer: Answer | Exception = field(default_factory=lambda: Answer("It is so.", None))
    progress: list[str] = field(default_factory=list)
    asked: list[tuple[PhysicalWorkspace, Question]] = field(default_factory=list)
    contexts: list[CallContext] = field(default_factory=list)
    """On whose account each question's model calls would go."""
    open_now: int = 0

    def use(self, workspace: PhysicalWorkspace) -> AbstractAsyncContextManager[PhysicalWorkspace]:
        return self._use(workspace)

    @asynccontextmanager
    async def _use(self, workspace: PhysicalWorkspace) -> AsyncIterator[PhysicalWorkspace]:
        self.open_now += 1
        try:
            yield workspace
        finally:
            self.open_now -= 1

    async def ask(
        self, rag: PhysicalWorkspace, question: Question, *, on_progress: OnProgress | None = None
    ) -> Answer:
        assert self.open_now
        self.asked.append((rag, question))
        self.contexts.append(current_call())
        for event in self.progress:
            if on_progress is not None:
                await on_progress(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Api:
    """A client, and what is behind the server it talks to."""

    client: httpx.AsyncClient
    ledger: Ledger
    objects: MemoryObjectStore
    sender: MemorySender
    rags: FakeRags
    probes: dict[str, Probe]

    async def insert(
        self, content: bytes = b"text", *, doc_id: str | None = None, **headers: str
    ) -> httpx.Response:
        fields = {} if doc_id is None else {"doc_id": doc_id}
        return await self.client.post(
            "/insert",
            data=fields,
            files={"file": ("a.txt", content)},
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


StartApi = Callable[..., Awaitable[Api]]


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated ledger file; each test gets a copy, which is faster than migrating again."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    migrate(URL.create("sqlite+aiosqlite", database=str(path)))
    return path


@pytest.fixture
async def ledger(empty_ledger: Path, tmp_path: Path) -> AsyncIterator[Ledger]:
    path = shutil.copy(empty_ledger, tmp_path / "ledger.db")
    opened = await Ledger.open(URL.create("sqlite+aiosqlite", database=str(path)))
    yield opened
    await opened.close()


@pytest.fixture
async def start_api(ledger: Ledger, tmp_path: Path) -> AsyncIterator[StartApi]:
    """Start an application; keyword arguments are settings."""
    running: list[AbstractAsyncContextManager[Api]] = []

    async def start(**variables: str) -> Api:
        settings = load_settings(None, overrides={"DATA_DIR": str(tmp_path), **variables})
        api = _running_api(settings, ledger)
        running.append(api)
        return await api.__aenter__()

    yield start
    for api in running:
        await api.__aexit__(None, None, None)


@pytest.fixture
async def api(start_api: StartApi) -> Api:
    return await start_api()


@asynccontextmanager
async def _running_api(settings: Settings, ledger: Ledger) -> AsyncIterator[Api]:
    objects, sender, rags = MemoryObjectStore(), MemorySender(), FakeRags()

    async def broker() -> None:
        if not sender.available:
            raise QueueUnavailableError

    probes: dict[str, Probe] = {"ledger": ledger.ping, "uploads": objects.ping, "broker": broker}
    resources = Resources(
        settings=settings,
        ledger=ledger,
        objects=objects,
        sender=sender,
        rags=cast("RagPool", rags),
        probes=probes,
        ask=rags.ask,
    )

    @asynccontextmanager
    async def opener(_settings: Settings) -> AsyncIterator[Resources]:
        yield resources

    app = create_app(settings, opener)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = dict(state or {})  # what a server does with the lifespan's state
            await app(scope, receive, send)

        transport = httpx.ASGITransport(with_state)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield Api(client, ledger, objects, sender, rags, probes)

"""A real API process: uvicorn, SQLite, files on disk, and a broker that never answers.

Questions are answered by a stand-in: while one is being answered, the file `asked` exists in
DATA_DIR; mode `bypass` streams without end.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from api.app import create_app
from api.main import serve
from api.resources import Resources
from shared.connections import ledger_url
from shared.contract.celery_sender import CelerySender
from shared.ids import PhysicalWorkspace
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.factory import open_objects
from shared.rag.questions import Answer, OnProgress, Question
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from shared.rag.pool import RagPool

DEAD_BROKER = "redis://127.0.0.1:1/0"  # nothing listens on port 1


class _Rags:
    def __init__(self, data_dir: Path) -> None:
        self._asked = data_dir / "asked"

    @asynccontextmanager
    async def use(self, workspace: PhysicalWorkspace) -> AsyncIterator[PhysicalWorkspace]:
        self._asked.touch()
        try:
            yield workspace
        finally:
            self._asked.unlink()


async def _ask(
    rag: PhysicalWorkspace, question: Question, *, on_progress: OnProgress | None = None
) -> Answer:
    references = [{"reference_id": "1", "file_path": "test.txt"}]
    if question.parameters["mode"] != "bypass":
        return Answer("It is so.", None, references)

    async def endless() -> AsyncIterator[str]:
        while True:
            yield "and so on "
            await asyncio.sleep(0.01)

    return Answer(None, endless(), references)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Resources]:
    await asyncio.to_thread(migrate, ledger_url(settings))
    ledger = await Ledger.open(ledger_url(settings))
    yield Resources(
        settings=settings,
        ledger=ledger,
        objects=open_objects(settings),
        sender=CelerySender(DEAD_BROKER),
        rags=cast("RagPool", _Rags(settings.storage.data_dir)),
        probes={"ledger": ledger.ping},
        ask=_ask,
    )
    await ledger.close()


if __name__ == "__main__":
    settings = load_settings(None)
    serve(settings, create_app(settings, _open))

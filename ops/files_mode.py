"""Files mode: the API and the stages in one process, over LightRAG's file storages and SQLite."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from api.app import create_app
from api.main import serve
from api.resources import Resources
from ops.in_process import InProcessSender
from shared.connections import ledger_url
from shared.errors import SettingsError
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.factory import open_objects
from shared.rag.models import open_models
from shared.rag.pool import RagPool
from shared.settings import Settings, load_settings
from worker.context import WorkerContext
from worker.parsing import ParserPool


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open what both tiers need, once: they share the ledger, the stores and the models.

    Raises:
        SettingsError: another process works on this DATA_DIR.
    """
    limits = settings.limits
    with _only_process(settings.storage.data_dir):
        await asyncio.to_thread(migrate, ledger_url(settings))
        parsers = ParserPool(
            workers=limits.parse_workers,
            timeout_s=limits.parse_timeout_s,
            memory_bytes=limits.parse_memory_bytes,
        )
        ledger = await Ledger.open(ledger_url(settings))
        sender = InProcessSender(concurrency=limits.worker_threads)
        rags = RagPool(settings, open_models(settings))
        objects = open_objects(settings)
        sender.serve(
            WorkerContext(
                settings=settings,
                ledger=ledger,
                objects=objects,
                sender=sender,
                rags=rags,
                parsers=parsers,
            )
        )
        try:
            yield Resources(
                settings=settings,
                ledger=ledger,
                objects=objects,
                sender=sender,
                rags=rags,
                probes={"ledger": ledger.ping, "objects": objects.ping, "queue": sender.ping},
            )
        finally:
            await sender.close()
            await rags.close()
            await ledger.close()
            parsers.close()


@contextmanager
def _only_process(data_dir: Path) -> Iterator[None]:
    """Hold a lock that the kernel releases however this process ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "files_mode.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = (
                f"DATA_DIR={data_dir} is in use by another process, and file storages allow only "
                "one; stop it or choose another folder."
            )
            raise SettingsError(sentence) from None
        yield


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_settings()
    serve(settings, create_app(settings, open_resources))


if __name__ == "__main__":
    main()

"""Files mode: the API and the stages in one process, over LightRAG's file storages and SQLite."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api.app import create_app
from api.main import serve
from api.resources import Resources
from ops.in_process import InProcessSender
from ops.only_process import only_process
from shared.connections import ledger_url
from shared.errors import SettingsError
from shared.ledger.migrate import migrate
from shared.probes import open_probes
from shared.settings import Settings, load_settings
from worker.resources import open_context


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open what both tiers need, once: they share the ledger, the stores and the models.

    Raises:
        SettingsError: another process works on this DATA_DIR, or backups are wanted by a schedule.
    """
    _refuse_schedule(settings)
    sender = InProcessSender(concurrency=settings.limits.worker_threads)
    async with AsyncExitStack() as stack:
        stack.enter_context(only_process(settings.storage.data_dir))
        await asyncio.to_thread(migrate, ledger_url(settings))
        context = await stack.enter_async_context(open_context(settings, sender))
        probes = await stack.enter_async_context(
            open_probes(settings, ledger=context.ledger, objects=context.objects, sender=sender)
        )
        sender.serve(context)
        yield Resources(
            settings=settings,
            ledger=context.ledger,
            objects=context.objects,
            sender=sender,
            rags=context.rags,
            probes=probes,
        )


def _refuse_schedule(settings: Settings) -> None:
    if settings.backup.schedule:
        sentence = (
            "BACKUP_SCHEDULE needs servers: files allow one process, and there is no beat. Unset "
            "it, and let a timer of this machine stop the system and run `ragfleet backup`."
        )
        raise SettingsError(sentence)


def main() -> None:
    """Serve until SIGTERM."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(str(error))
    os.umask(0o077)  # LightRAG's files and SQLite's hold the documents' texts
    serve(settings, create_app(settings, open_resources))


if __name__ == "__main__":
    main()

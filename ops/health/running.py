"""All questions about a fleet at work; those that would wait for what is away are not asked."""

import asyncio

from ops.doctor.report import Finding
from ops.health.api import ask_api
from ops.health.broker import ask_broker
from ops.health.probing import let_through
from shared.settings import Settings
from shared.startup import storage_shape


async def examine(settings: Settings, address: str, *, probe: bool) -> list[Finding]:
    """Ask everybody at once, then let a document through if that is wanted.

    Args:
        settings: of the installation; they name the broker and the key.
        address: of the API.
        probe: whether to ingest and ask for a small document, in a workspace of its own.
    """
    questions = [ask_api(address)]
    if storage_shape(settings) == "servers":
        questions.append(ask_broker(settings))
    found = [finding for answer in await asyncio.gather(*questions) for finding in answer]
    if probe:
        found.append(await let_through(address, key=settings.api.key.get_secret_value()))
    return found

"""What every stage needs, opened once a process and passed as an argument."""

import asyncio
import os
import secrets
import socket
from dataclasses import dataclass, field

from shared.contract.sender import Sender
from shared.ledger.ledger import Ledger
from shared.objects.base import ObjectStore
from shared.rag.pool import RagPool
from shared.settings import Settings
from worker.parsing import ParserPool


def _new_holder() -> str:
    """Name this process in leases: where it runs, and a part that no later process repeats."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(frozen=True)
class WorkerContext:
    """The open resources of one worker process."""

    settings: Settings
    ledger: Ledger
    objects: ObjectStore
    sender: Sender
    rags: RagPool
    parsers: ParserPool
    holder: str = field(default_factory=_new_holder)
    one_backup: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while this process has backups made."""

    @property
    def lease_ms(self) -> int:
        """How long a lease lives without renewal, in milliseconds."""
        return int(self.settings.limits.task_lease_s * 1000)

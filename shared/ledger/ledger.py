"""The ledger as one object: a database and the views of it."""

from typing import Self

from sqlalchemy import URL, text

from shared.ledger.batches import Batches
from shared.ledger.documents import Documents
from shared.ledger.edits import Edits
from shared.ledger.engine import Database
from shared.ledger.history import History
from shared.ledger.holds import Holds
from shared.ledger.journals import Journals
from shared.ledger.tasks import Tasks
from shared.ledger.usage import ModelUsage
from shared.ledger.workload import Workload
from shared.ledger.workspaces import Workspaces


class Ledger:
    """Tasks, documents, batches and workspaces of one installation.

    It belongs to the event loop that first used it. `database` is for code that writes rows of its
    own in one transaction with the functions of `commits` and `commit_leases`.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tasks = Tasks(database)
        self.documents = Documents(database)
        self.edits = Edits(database)
        self.batches = Batches(database)
        self.workspaces = Workspaces(database)
        self.journals = Journals(database)
        self.history = History(database)
        self.holds = Holds(database)
        self.usage = ModelUsage(database)
        self.workload = Workload(database)

    @classmethod
    async def open(cls, url: URL, *, pool_size: int = 10) -> Self:
        """Make a ledger; nothing is connected before the first use, nothing is migrated."""
        return cls(Database(url, pool_size=pool_size))

    async def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            LedgerUnavailableError: none came.
        """
        async with self.database.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()

"""What every store offers to whoever applies journals."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from worker.commit.operations import Operation
from worker.leased import LeaseLostError


class FencedOffError(LeaseLostError):
    """The store knows a newer holder of the lease: this one must write nothing any more."""


class Store(Protocol):
    """One server (or folder) that holds some of a workspace's storages.

    It keeps, beside the data, the token of the lease whose holder may write, and the number of the
    last journal that it holds whole.
    """

    name: str

    async def raise_fence(self) -> None:
        """Let nobody with a lower token than ours write from now on.

        Raises:
            FencedOffError: a higher one is there already.
        """

    async def applied_seq(self) -> int:
        """Return the number of the last journal that is here whole; 0: none."""

    async def apply(self, operation: Operation) -> None:
        """Carry one operation out, unless we were overtaken.

        Raises:
            FencedOffError: somebody else holds the lease.
            StoreUnavailableError: the server is away.
        """

    def filling(self) -> AbstractAsyncContextManager[None]:
        """Expect so much within a `with` block that what is derived from it is made afterwards.

        Raises:
            FencedOffError: somebody else holds the lease.
            StoreUnavailableError: the server is away.
        """

    def begin_sync(self) -> None:
        """Begin to make durable what was written so far: other stores are written meanwhile."""

    async def finish(self, seq: int) -> None:
        """Note that a journal is here whole, after it is as durable as the server can make it.

        Raises:
            FencedOffError: somebody else holds the lease.
        """

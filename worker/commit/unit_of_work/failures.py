"""Remembers what went wrong inside LightRAG, which turns many errors into log lines."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.rag.store_errors import translated_store_errors


class Failures:
    """The errors of stores and models that were called during one unit of work."""

    def __init__(self) -> None:
        self._first: Exception | None = None

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep an error of the block, and let it go on.

        Raises:
            StoreUnavailableError: instead of what a driver raised when its server is away.
        """
        try:
            with translated_store_errors():
                yield
        except Exception as error:
            self._first = self._first or error
            raise

    def raise_first(self) -> None:
        """Raise the first error again, whoever swallowed it: what followed is built on sand."""
        if self._first is not None:
            raise self._first

"""Tells how far a copy is."""

from typing import Protocol

from worker.commit.operations import Operation


class Progress(Protocol):
    """Is told of every operation."""

    def advance(self, operation: Operation) -> None:
        """Count an operation."""

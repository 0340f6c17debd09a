"""Tells how far a copy is."""

from typing import Protocol

from worker.commit.operations import Operation


class Progress(Protocol):
    """Is told of everything that was done."""

    def advance(self, operation: Operation) -> None:
        """Count an operation."""

    def advance_by(self, section: str, items: int) -> None:
        """Count items of a section that no operation carries."""

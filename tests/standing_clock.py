"""A clock that stands still, for tests that compare two graphs value by value."""

import time
from typing import Any

import pytest
from lightrag import operate


class StandingClock:
    """The time module, at one and the same second for ever."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        return 1_800_000_000.0


def stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let LightRAG extract and merge all records in the same second.

    It writes the second into the graph and orders an entity's descriptions by it, then by length:
    two workspaces would differ where a second ended while one of them was filled.
    """
    monkeypatch.setattr(operate, "time", StandingClock())

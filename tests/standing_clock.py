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
    clock = StandingClock()
    ask = operate.use_llm_func_with_cache

    async def ask_at_that_second(*arguments: Any, **options: Any) -> tuple[Any, int]:
        reply, _ = await ask(*arguments, **options)
        return reply, int(clock.time())

    monkeypatch.setattr(operate, "time", clock)
    # What was said when is the records' second; another module notes it.
    monkeypatch.setattr(operate, "use_llm_func_with_cache", ask_at_that_second)


class TickingClock(StandingClock):
    """The time module, a second later each time it is asked."""

    def __init__(self) -> None:
        self._now_s = 1_800_000_000

    def time(self) -> float:
        self._now_s += 1
        return float(self._now_s)

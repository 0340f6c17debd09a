"""What the watch does when it fails itself."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from worker.watch import watcher
from worker.watch.watcher import Watcher

if TYPE_CHECKING:
    from worker.watch.sample import Sample


class Shown:
    """Keeps what would be told to Prometheus."""

    def __init__(self) -> None:
        self.samples: list[Any] = []

    def show(self, sample: "Sample | None") -> None:
        self.samples.append(sample)


async def test_after_a_failure_of_its_own_it_tells_nothing_instead_of_what_was_true_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: Any = Shown()
    nothing: Any = None
    outcomes: list[Any] = [object(), ZeroDivisionError()]

    async def look(*_: object) -> Any:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(watcher, "take_sample", look)
    watch = Watcher(
        open_ledger=nothing, broker=nothing, leadership=nothing, collector=shown, publisher=None
    )
    for _ in range(2):
        await asyncio.wait_for(watch.look(nothing), 5)
    assert [sample is None for sample in shown.samples] == [False, True]

"""What is most urgent is embedded first: there is one thread for all."""

import asyncio
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from shared.rag.calls import Purpose, call_context
from shared.rag.offline import embeddings as offline
from shared.rag.offline.embeddings import OfflineEmbeddings
from shared.rag.offline.urgent_first import UrgentFirst


def busy(thread: UrgentFirst) -> threading.Event:
    """Keep the thread at work until the event is set."""
    free = threading.Event()
    thread.submit(0, free.wait)
    return free


def test_the_lowest_number_goes_first_and_equals_go_in_order() -> None:
    thread, done = UrgentFirst(name="test"), []
    free = busy(thread)
    futures = [
        thread.submit(urgency, lambda name=name: done.append(name))
        for name, urgency in (("a", 2), ("b", 1), ("c", 2), ("d", 1))
    ]
    free.set()
    for future in futures:
        future.result(timeout=60)
    assert done == ["b", "d", "a", "c"]


def test_what_was_cancelled_is_not_done_and_what_fails_tells_its_caller_alone() -> None:
    thread = UrgentFirst(name="test")
    free = busy(thread)
    cancelled, broken = thread.submit(1, lambda: 1), thread.submit(1, lambda: 1 // 0)
    last = thread.submit(1, lambda: "done")
    cancelled.cancel()
    free.set()
    with pytest.raises(CancelledError):
        cancelled.result(timeout=60)
    with pytest.raises(ZeroDivisionError):
        broken.result(timeout=60)
    assert last.result(timeout=60) == "done"


async def test_questions_are_embedded_before_a_commit_and_a_commit_before_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def embed(texts: list[str], *, is_query: bool) -> offline.Vectors:
        del is_query
        seen.extend(texts)
        return np.zeros((len(texts), OfflineEmbeddings.dimension), dtype=np.float32)

    monkeypatch.setattr(offline._ENGINE, "embed", embed)
    monkeypatch.setattr(offline, "_THREAD", UrgentFirst(name="test"))
    free = busy(offline._THREAD)
    model = OfflineEmbeddings()
    waiting = []
    for purpose in (Purpose.EXTRACT, Purpose.COMMIT, Purpose.QUERY):
        with call_context(purpose, workspace="w"):
            waiting.append(asyncio.create_task(model.embed([purpose], is_query=False)))
    await asyncio.sleep(0)  # all three have asked
    free.set()
    await asyncio.gather(*waiting)
    assert seen == [Purpose.QUERY, Purpose.COMMIT, Purpose.EXTRACT]

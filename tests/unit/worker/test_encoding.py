"""What is kept in the ledger between the stages comes back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from worker.ingestion.chunking import split_into_batches
from worker.ingestion.encoding import (
    ChunkBatch,
    Extraction,
    decode_batch,
    decode_extractions,
    encode_batch,
    encode_extractions,
)

text = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.lists(st.dictionaries(text, text | st.integers() | st.floats(allow_nan=False)))


def extractions_of(dimension: int) -> st.SearchStrategy[list[Extraction]]:
    return st.lists(
        st.builds(
            Extraction,
            nodes=st.dictionaries(text, rows),
            edges=st.dictionaries(st.tuples(text, text), rows),
            cache_keys=st.lists(text),
            vector=st.binary(min_size=dimension * 4, max_size=dimension * 4),
        )
    )


extractions = st.integers(0, 5).flatmap(extractions_of)


@given(extractions)
def test_extraction_results_survive_the_ledger(found: list[Extraction]) -> None:
    assert decode_extractions(encode_extractions(found)) == found


@given(st.dictionaries(text, st.dictionaries(text, text)), st.none() | text)
def test_chunks_survive_the_ledger_in_order(
    chunks: dict[str, dict[str, str]], whole: str | None
) -> None:
    decoded = decode_batch(encode_batch(ChunkBatch(chunks, whole)))
    assert decoded == ChunkBatch(chunks, whole)
    assert list(decoded.chunks) == list(chunks)


def test_equal_content_gives_equal_bytes() -> None:
    batch = ChunkBatch({"a": {"content": "x"}}, "x")
    assert encode_batch(batch) == encode_batch(batch)


def chunks_of(tokens: list[int]) -> dict[str, dict[str, object]]:
    return {f"c{i}": {"content": str(i), "tokens": count} for i, count in enumerate(tokens)}


def test_batches_are_consecutive_and_complete() -> None:
    batches = split_into_batches(chunks_of([400] * 7), size=3)
    assert [list(batch) for batch in batches] == [["c0", "c1", "c2"], ["c3", "c4", "c5"], ["c6"]]


def test_batches_of_long_chunks_have_fewer_of_them() -> None:
    batches = split_into_batches(chunks_of([4_000] * 5), size=16)
    assert [len(batch) for batch in batches] == [2, 2, 1]


@given(st.lists(st.integers(0, 30_000)), st.integers(1, 5))
def test_no_batch_is_too_large_and_no_chunk_is_lost(tokens: list[int], size: int) -> None:
    chunks = chunks_of(tokens)
    batches = split_into_batches(chunks, size=size)
    assert [item for batch in batches for item in batch.items()] == list(chunks.items())
    for batch in batches:
        counts = [int(str(row["tokens"])) for row in batch.values()]
        assert 0 < len(batch) <= size
        assert len(batch) == 1 or sum(counts) <= 10_000

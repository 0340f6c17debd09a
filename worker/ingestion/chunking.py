"""Text to chunks, exactly as LightRAG's own pipeline cuts them."""

from typing import Any

from lightrag import LightRAG
from lightrag.chunker import chunking_by_token_size
from lightrag.utils import enforce_chunk_token_limit_before_embedding, sanitize_text_for_encoding
from lightrag.utils_pipeline import build_chunks_dict_from_chunking_result

from shared.ids import DocumentId
from shared.settings_sections import IndexingSettings
from worker.ingestion.encoding import Chunks

# A batch that is lost is extracted again, and its row is read as a whole: about 40 KB of text.
_MAX_BATCH_TOKENS = 10_000


def sanitized(text: str) -> str:
    """Clean a text as LightRAG's enqueue does, or its extraction cache would miss."""
    cleaned: str = sanitize_text_for_encoding(text)
    return cleaned


def cut_into_chunks(rag: LightRAG, text: str, *, doc_id: DocumentId, file_name: str) -> Chunks:
    """Cut a sanitised text into LightRAG's chunk rows; CPU-bound, so call it in a thread."""
    pieces: list[dict[str, Any]] = chunking_by_token_size(
        rag.tokenizer,
        text,
        None,
        False,  # noqa: FBT003 - LightRAG's positional contract
        rag.chunk_overlap_token_size,
        rag.chunk_token_size,
        _emit_source_span=True,
    )
    if rag.embedding_token_limit:
        pieces = enforce_chunk_token_limit_before_embedding(
            chunking_result=pieces,
            tokenizer=rag.tokenizer,
            max_tokens=rag.embedding_token_limit,
            overlap_tokens=rag.embedding_chunk_overlap_token_size,
            source_content=text,
        )
    chunks: Chunks = build_chunks_dict_from_chunking_result(
        pieces, doc_id=doc_id, file_path=file_name
    )
    return chunks


def chunks_of_a_full_batch(indexing: IndexingSettings) -> int:
    """Tell how many chunks a batch of a large document has, the last one apart."""
    return min(indexing.extract_batch_chunks, max(1, _MAX_BATCH_TOKENS // indexing.chunk_size))


def split_into_batches(chunks: Chunks, *, size: int) -> list[Chunks]:
    """Split chunks into consecutive batches of at most `size` chunks and a bounded size of text."""
    batches: list[Chunks] = []
    tokens = 0
    for chunk_id, row in chunks.items():
        tokens += row["tokens"]
        if not batches or len(batches[-1]) == size or tokens > _MAX_BATCH_TOKENS:
            batches.append({})
            tokens = row["tokens"]
        batches[-1][chunk_id] = row
    return batches

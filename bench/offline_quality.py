"""Measures the key-free models on public texts: entities found, documents found, answers held.

Usage: python bench/offline_quality.py CORPUS [--work FOLDER] [--passages-only]

CORPUS is laid out as docs/offline-models.md says. With --work, the knowledge base made of the
articles is kept there and used again by the next run.
"""

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lightrag import LightRAG, QueryParam
from lightrag.utils import EmbeddingFunc
from numpy.typing import NDArray

from shared.ids import DocumentId
from shared.rag.offline.embeddings import OfflineEmbeddings
from shared.rag.offline.extraction.records import extract
from shared.rag.offline.language_model import OfflineLanguageModel
from shared.rag.offline.prompts import ExtractionRequest
from shared.rag.tokenizer import shared_tokenizer
from worker.ingestion.chunking import cut_into_chunks, sanitized

CHUNK_TOKENS = 400
OVERLAP_TOKENS = 50
# Nothing may time out here: the model works through long queues on few cores.
PATIENCE_S = 3_600
ENTITY_TYPES = frozenset({"person", "location", "organization", "event", "concept"})
FIRST_REFERENCES = 5
THRESHOLD = 0.78  # the one that is used, see shared/rag/engine.py


@dataclass
class Counts:
    """What one set of chapters gave; shares are computed at the end, over all chapters."""

    gold: int = 0
    gold_found: int = 0
    people: int = 0
    people_right: int = 0
    passages: int = 0
    cpu_s: float = 0.0


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument(
        "--passages-only", action="store_true", help="no graph: half the time, naive mode alone"
    )
    arguments = parser.parse_args()
    print_entities(arguments.corpus)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        asyncio.run(print_questions(arguments.corpus, work, passages_only=arguments.passages_only))


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read one JSON object per line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def split(text: str) -> Iterator[str]:
    """Cut a text as LightRAG does."""
    tokenizer = shared_tokenizer()
    tokens = tokenizer.encode(text)
    for start in range(0, max(1, len(tokens) - OVERLAP_TOKENS), CHUNK_TOKENS - OVERLAP_TOKENS):
        yield tokenizer.decode(tokens[start : start + CHUNK_TOKENS])


def gold_names(corpus: Path) -> tuple[list[str], dict[str, set[int]]]:
    """Return the listed entities' names, and whose each mention of two or more characters is."""
    rows = read_json_lines(corpus / "gold" / "sanguo_entities.jsonl")
    names = [row["entity"].partition("[")[0] for row in rows]
    owners: dict[str, set[int]] = {}
    for number, row in enumerate(rows):
        for mention in {names[number], *row["mentions"]}:
            if len(mention) > 1:
                owners.setdefault(mention, set()).add(number)
    return names, owners


def expected(text: str, names: list[str], owners: dict[str, set[int]]) -> set[int]:
    """Return the listed entities that a chapter mentions.

    By name, or at least twice by a mention that nobody shares: a single other mention (a courtesy
    name is two common characters) is too often an accident.
    """
    found = set()
    for mention, entities in owners.items():
        if mention not in text:
            continue
        alone = len(entities) == 1 and text.count(mention) > 1
        found |= {one for one in entities if names[one] == mention or alone}
    return found


def extracted(text: str, counts: Counts) -> dict[str, str]:
    """Return names and types that the rules find in a chapter, passage by passage."""
    found: dict[str, str] = {}
    for passage in split(text):
        request = ExtractionRequest(passage, ENTITY_TYPES, max_rows=100, max_entities=40)
        started = time.thread_time()
        reply = extract(request)
        counts.cpu_s += time.thread_time() - started
        counts.passages += 1
        rows = [row.split("<|#|>") for row in reply.splitlines()]
        found |= {row[1]: row[2] for row in rows if row[0] == "entity"}
    return found


def measure_chapters(corpus: Path, remainder: int) -> Counts:
    """Measure every second chapter: odd ones (remainder 1) were tuned on, even ones not."""
    names, owners = gold_names(corpus)
    counts = Counts()
    for path in sorted((corpus / "zh" / "sanguo").glob("*.txt")):
        if int(path.stem) % 2 != remainder:
            continue
        text = path.read_text("utf-8")
        gold = expected(text, names, owners)
        found = extracted(text, counts)
        people = [name for name, entity_type in found.items() if entity_type == "Person"]
        counts.gold += len(gold)
        counts.gold_found += len(gold & {one for name in found for one in owners.get(name, ())})
        counts.people += len(people)
        counts.people_right += sum(name in owners for name in people)
    return counts


def print_entities(corpus: Path) -> None:
    """Print recall and precision of names; the first passage's dictionary load is not counted."""
    extract(ExtractionRequest("你好。", ENTITY_TYPES, max_rows=1, max_entities=1))
    print("| chapters | listed entities | recall | people found | precision | ms per passage |")
    print("|---|---|---|---|---|---|")
    for label, remainder in (("odd (tuned on)", 1), ("even", 0)):
        one = measure_chapters(corpus, remainder)
        print(
            f"| {label} | {one.gold} | {one.gold_found / one.gold:.2f} | {one.people} "
            f"| {one.people_right / one.people:.2f} | {one.cpu_s / one.passages * 1000:.1f} |"
        )


def open_rag(folder: Path, threshold: float) -> LightRAG:
    """Make LightRAG over files, with the key-free models."""
    embeddings = OfflineEmbeddings()

    async def embed(texts: list[str], context: str = "document") -> NDArray[np.float32]:
        return await embeddings.embed(texts, is_query=context == "query")

    logging.getLogger("lightrag").setLevel(logging.ERROR)
    return LightRAG(
        working_dir=str(folder),
        tokenizer=shared_tokenizer(),
        chunk_token_size=CHUNK_TOKENS,
        chunk_overlap_token_size=OVERLAP_TOKENS,
        entity_extract_max_gleaning=0,
        llm_model_func=OfflineLanguageModel().complete,
        enable_llm_cache=False,
        embedding_func=EmbeddingFunc(
            OfflineEmbeddings.dimension,
            embed,
            OfflineEmbeddings.max_tokens,
            supports_asymmetric=True,
        ),
        default_embedding_timeout=PATIENCE_S,
        default_llm_timeout=PATIENCE_S,
        vector_db_storage_cls_kwargs={"cosine_better_than_threshold": threshold},
    )


async def print_questions(corpus: Path, work: Path, *, passages_only: bool) -> None:
    """Ingest all articles and print how often the right one is among the first references."""
    rag = open_rag(work, THRESHOLD)
    await rag.initialize_storages()
    if not (work / "ingested").exists():
        started = time.process_time()
        paths = sorted((corpus / "en" / "wikipedia").glob("*.md"))
        texts = await asyncio.to_thread(lambda: [path.read_text("utf-8") for path in paths])
        if passages_only:
            await insert_passages(
                rag, {path.name: text for path, text in zip(paths, texts, strict=True)}
            )
        else:
            await rag.ainsert(texts, file_paths=[path.name for path in paths])
        (work / "ingested").write_text(f"{time.process_time() - started:.0f} CPU s\n")
    print("\n| mode | questions | right article in first five | answer in the reply |")
    print("|---|---|---|---|")
    questions = read_json_lines(corpus / "gold" / "qa_wikipedia.jsonl")
    for mode in ("naive",) if passages_only else ("naive", "mix"):
        outcomes = [await ask(rag, question, mode) for question in questions]
        right, answered = (sum(column) for column in zip(*outcomes, strict=True))
        print(f"| {mode} | {len(questions)} | {right} | {answered} |")
    await rag.finalize_storages()


async def insert_passages(rag: LightRAG, articles: dict[str, str]) -> None:
    """Put every passage of every article into the vector store."""
    for name, text in articles.items():
        chunks = cut_into_chunks(rag, sanitized(text), doc_id=DocumentId(name), file_name=name)
        await rag.text_chunks.upsert(chunks)
        await rag.chunks_vdb.upsert(chunks)
    await rag._insert_done()  # noqa: SLF001 - pinned internals


async def ask(rag: LightRAG, question: dict[str, Any], mode: Any) -> tuple[bool, bool]:  # noqa: ANN401
    """Tell whether the right article is among the first references, and an answer in the reply."""
    reply = await rag.aquery_llm(question["question"], QueryParam(mode=mode, enable_rerank=False))
    references = [one["file_path"] for one in reply["data"].get("references", [])]
    content = (reply["llm_response"]["content"] or "").lower()
    return (
        Path(question["doc"]).name in references[:FIRST_REFERENCES],
        any(answer.lower() in content for answer in question["answers"]),
    )


if __name__ == "__main__":
    main()

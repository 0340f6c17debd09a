"""`--re-embed` says what new vectors cost, pays for each once, and moves with them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ops.migrate.folder.source import FolderSource
from ops.migrate.re_embedding.source import texts_of
from shared.rag import engine
from tests.integration.migrate.conftest import opened
from tests.integration.migrate.here import command_here
from tests.integration.migrate.test_faults import digests, into, refused
from tests.model_server import ModelServer, _envelope
from tests.models import embed_by_hash

DIMENSION = 16


class Embeddings(ModelServer):
    """A model of its own length, which counts, and may refuse."""

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.refuses_after: int | None = None
        self.turns = 0
        super().__init__()

    async def _embed(self, request: Request) -> Response:
        texts = (await request.json())["input"]
        if self.refuses_after is not None and len(self.embedded) >= self.refuses_after:
            return JSONResponse({"error": {"message": "no"}}, 400)
        self.embedded.extend(texts)
        vectors = np.roll(await vectors_of(texts), self.turns, axis=1)
        rows = [
            {"object": "embedding", "index": index, "embedding": vector.tolist()}
            for index, vector in enumerate(vectors)
        ]
        return JSONResponse(_envelope("list", data=rows))


async def vectors_of(texts: list[str]) -> Any:
    return (await embed_by_hash(texts, is_query=False))[:, :DIMENSION]


@pytest.fixture
def model() -> Iterator[Embeddings]:
    with Embeddings().running() as server:
        assert isinstance(server, Embeddings)
        yield server


@pytest.fixture
def renewed(variables: dict[str, str], model: Embeddings) -> dict[str, str]:
    """An installation whose model is another one, of another length."""
    # One call at a time: those under way when another one fails are paid for and lost.
    of_model = {"EMBEDDING_DIM": str(DIMENSION), "EMBEDDING_MAX_CONCURRENCY": "1"}
    return {**variables, **model.variables(), **of_model}


async def texts_in(folder: Path) -> list[str]:
    source = FolderSource.in_folder(folder, "")
    return [text async for operation in source.operations() for text in texts_of(operation)]


@pytest.mark.parametrize("variables", ["valkey", "files"], indirect=True)
async def test_every_text_is_paid_for_once_and_has_its_new_vector(
    stock_folder: Path,
    renewed: dict[str, str],
    model: Embeddings,
    monkeypatch: pytest.MonkeyPatch,
    own_environment: None,
) -> None:
    monkeypatch.setattr(engine, "_EMBEDDING_BATCH", 5)
    texts, before = await texts_in(stock_folder), digests(stock_folder)

    async def ragfleet(*words: str) -> Any:
        return await asyncio.to_thread(command_here(renewed), *into(stock_folder), *words)

    refused(await ragfleet(), "embedding_mismatch")
    plan = await ragfleet("--re-embed", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert f"New vectors: {len(set(texts))} texts, about" in plan.stdout
    assert "5 calls of 5 texts" in plan.stdout
    asked = await ragfleet("--re-embed")
    assert asked.returncode == 2
    assert "New vectors: 22 texts" in asked.stderr
    assert model.embedded == []

    model.refuses_after = 10
    assert (await ragfleet("--re-embed", "--yes")).stderr.startswith("model_refused: ")
    paid = len(model.embedded)
    assert paid >= 10
    model.refuses_after = None
    done = await ragfleet("--re-embed", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"New vectors: {len(set(texts)) - paid} texts" in done.stdout
    tried_again = 8
    assert len(model.embedded) == len(set(texts)) + tried_again
    assert not any(name.endswith(".vectors") for name in digests(Path(renewed["DATA_DIR"])))
    assert digests(stock_folder) == before

    async with opened(renewed, "notes") as rag:
        for operation in [one async for one in FolderSource(stock_folder).operations()]:
            if not operation.vectors:
                continue
            storage = getattr(rag, operation.storage)
            found = await storage.get_vectors_by_ids([key for key, _ in operation.rows])
            ours = await vectors_of(list(texts_of(operation)))
            for (key, _), expected in zip(operation.rows, ours, strict=True):
                numbers = np.asarray(found[key], dtype=np.float64)
                scale = np.linalg.norm(numbers) * np.linalg.norm(expected)
                assert numbers @ expected > 0.999 * scale

    paid = len(model.embedded)
    refused(await ragfleet("--re-embed", "--yes"), "target_not_empty")
    assert len(model.embedded) == paid  # nothing is paid for what is refused


@pytest.mark.parametrize("variables", ["files"], indirect=True)
async def test_a_model_that_has_changed_under_its_name_is_noticed(
    stock_folder: Path, renewed: dict[str, str], model: Embeddings
) -> None:
    def ragfleet(*words: str) -> Any:
        return command_here(renewed)(*into(stock_folder), "--re-embed", "--yes", *words)

    model.refuses_after = 1
    await asyncio.to_thread(ragfleet)
    model.refuses_after, model.turns = None, 1
    done = await asyncio.to_thread(ragfleet)
    assert "another vector than before" in refused(done, "migration_differs")


@pytest.mark.parametrize("variables", ["files"], indirect=True)
@pytest.mark.parametrize(
    ("target", "more", "words"),
    [("archive:a", (), "about an installation's model"), ("settings", ("--verify-only",), "again")],
)
def test_where_it_means_nothing_it_is_refused(
    stock_folder: Path, renewed: dict[str, str], target: str, more: tuple[str, ...], words: str
) -> None:
    ragfleet = command_here(renewed)
    done = ragfleet(
        "migrate", "--from", f"folder:{stock_folder}", "--to", target, "--re-embed", *more
    )
    assert done.returncode == 2
    assert words in done.stderr

"""Says what new vectors cost, asks, makes them, and tries some of them again."""

import asyncio
import hashlib
import heapq
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import numpy as np

from ops.client.session import output
from ops.migrate.census.looking import look_at
from ops.migrate.checkpoints import checkpoint_path
from ops.migrate.confirming import confirm
from ops.migrate.errors import MigrationDiffersError, PlaceError
from ops.migrate.opening import opened
from ops.migrate.re_embedding.source import ReEmbeddedSource, texts_of
from ops.migrate.re_embedding.vector_file import VectorFile, open_vector_file
from ops.migrate.request import Request
from ops.migrate.showing import counting
from ops.migrate.source import Source
from ops.migrate.taken import taken
from ops.migrate.texts import checked
from shared.ids import WorkspaceName
from shared.rag.calls import Purpose, call_context
from shared.rag.engine import embedding_batch, require_dimension
from shared.rag.models import Models, embedding_name, open_models
from shared.rag.tokenizer import shared_tokenizer
from shared.rag.usage import flushed_regularly
from shared.settings import Settings
from worker.commit.embed import as_bytes

_TRIED_AGAIN = 8
# More than any budget lets through at once; the others wait for it.
_BATCHES_AT_ONCE = 32
# A server computes in half precision, and in another order in another batch.
_MIN_COSINE = 0.99
_HASH_BYTES = 8


@dataclass(frozen=True)
class Cost:
    """What is to be embedded; a text that stands twice is embedded once."""

    texts: int
    tokens: int
    """About: counted with another vocabulary than the model's."""
    batch: int

    def __str__(self) -> str:
        calls = -(-self.texts // self.batch)
        return (
            f"New vectors: {self.texts:,} texts, about {self.tokens:,} tokens, in {calls:,} calls "
            f"of {self.batch} texts"
        )


async def cost_of(source: Source, settings: Settings, known: VectorFile | None = None) -> Cost:
    """Count what has to be embedded, but for what is known.

    Raises:
        SourceUnreadableError: the source is damaged, or does not say what was embedded.
    """
    encode = shared_tokenizer().encode
    seen: set[bytes] = set()
    tokens = 0
    async for operation in checked(source):
        for text in texts_of(operation):
            digest = hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES).digest()
            if digest not in seen and (known is None or text not in known):
                seen.add(digest)
                tokens += len(encode(text))
    return Cost(len(seen), tokens, embedding_batch(settings))


@contextmanager
def re_embedded(request: Request, source: Source, settings: Settings) -> Iterator[ReEmbeddedSource]:
    """Give a source with vectors of the model that settings name, made where they are missing.

    What was embedded is kept until the block ends without an error: a broken-off command, given
    again, pays twice for nothing but the calls that were under way.

    Raises:
        PlaceError: there is nothing to compare with.
        TargetNotEmptyError: the copy would be refused.
        ConfirmationNeededError: nobody said that it may cost that.
        ModelUnavailableError, ModelRefusedError: the model failed; the same command goes on.
        MigrationDiffersError: the model answers the same texts with other vectors.
    """
    if request.verify_only:
        sentence = "--verify-only would have all vectors made again; leave it or --re-embed out."
        raise PlaceError(sentence)
    if not request.is_replacing:
        asyncio.run(_require_free(settings, request.workspace))
    model, dimension = embedding_name(settings), settings.embedding.dim
    # Not the source's state: a text that is the same has the same vector.
    which = hashlib.sha256(repr((model, dimension)).encode()).hexdigest()[:16]
    path = settings.storage.data_dir / "migrations" / f"{request.workspace}-{which}.vectors"
    with open_vector_file(path, dimension=dimension) as vectors:
        cost = asyncio.run(cost_of(source, settings, vectors))
        if cost.texts:
            confirm(f"{cost} by {model}. Make them?", is_confirmed=request.is_confirmed)
            output.print(f"{cost} by {model}.")
        asyncio.run(_embed_under_budget(request.workspace, source, settings, vectors, cost))
        yield ReEmbeddedSource(source, vectors, model, dimension)
    path.unlink()


async def _require_free(settings: Settings, name: WorkspaceName) -> None:
    """Refuse a filled workspace before anything is paid for, unless it may be half of this copy."""
    census = await look_at(settings, name)
    physical = census.physical
    is_begun = physical is not None and checkpoint_path(settings, physical).exists()
    if not census.is_empty and not is_begun:
        raise taken(name)


async def _embed_under_budget(
    name: WorkspaceName, source: Source, settings: Settings, vectors: VectorFile, cost: Cost
) -> None:
    with call_context(Purpose.OTHER, workspace=name):
        async with _models(settings) as models:
            await _embed_all(source, models, vectors, cost)
            await _try_again(source, models, vectors)


@asynccontextmanager
async def _models(settings: Settings) -> AsyncIterator[Models]:
    """Open the models under the budget of the fleet, and write down what they took."""
    models = open_models(settings)
    async with opened(settings, models) as (ledger, _), flushed_regularly(models.meter, ledger):
        yield models


async def _embed_all(source: Source, models: Models, vectors: VectorFile, cost: Cost) -> None:
    """Embed what is missing; the budget says how many calls run at once."""
    if not cost.texts:
        return
    running: set[asyncio.Task[int]] = set()
    try:
        with counting(output, "embed texts", cost.texts) as advance:
            async for batch in _missing(source, vectors, cost.batch):
                running.add(asyncio.create_task(_embed(batch, models, vectors)))
                if len(running) == _BATCHES_AT_ONCE:
                    running = await _some_ended(running, advance)
            while running:
                running = await _some_ended(running, advance)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _missing(source: Source, vectors: VectorFile, size: int) -> AsyncIterator[list[str]]:
    """Give the texts that have no vector yet, each once."""
    batch: dict[str, None] = {}
    given: set[bytes] = set()
    async for operation in source.operations():
        for text in texts_of(operation):
            digest = hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES).digest()
            if digest in given or text in vectors:
                continue
            given.add(digest)
            batch[text] = None
            if len(batch) == size:
                yield list(batch)
                batch = {}
    if batch:
        yield list(batch)


async def _embed(texts: list[str], models: Models, vectors: VectorFile) -> int:
    made = await models.embed(texts, is_query=False)
    require_dimension(made, models.embedding_dim)
    vectors.add(texts, as_bytes(made))
    return len(texts)


async def _some_ended(
    running: set[asyncio.Task[int]], advance: Callable[[int], None]
) -> set[asyncio.Task[int]]:
    ended, left = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        advance(task.result())
    return left


async def _try_again(source: Source, models: Models, vectors: VectorFile) -> None:
    """Embed a few texts once more, chosen by their digests: the file must hold the same.

    Raises:
        MigrationDiffersError: it does not; perhaps another model answers under the same name now.
    """
    chosen: list[tuple[bytes, str]] = []
    async for operation in source.operations():
        digests = {(hashlib.sha256(text.encode()).digest(), text) for text in texts_of(operation)}
        chosen = heapq.nsmallest(_TRIED_AGAIN, digests.union(chosen))
    texts = [text for _, text in chosen]
    if not texts:
        return
    again = np.asarray(await models.embed(texts, is_query=False), dtype=np.float64)
    made = np.stack([np.frombuffer(vectors.vector(text), dtype="<f4") for text in texts])
    scale = np.linalg.norm(again, axis=1) * np.linalg.norm(made.astype(np.float64), axis=1)
    lowest = float(np.min(np.sum(again * made, axis=1) / scale))
    if not lowest >= _MIN_COSINE:
        sentence = (
            f"The embedding model answers a text with another vector than before (cosine "
            f"{lowest:.3f}); delete the file `*.vectors` in DATA_DIR/migrations and repeat."
        )
        raise MigrationDiffersError(sentence)
    output.print(f"{len(texts)} texts were embedded once more: cosine {lowest:.4f} or higher.")

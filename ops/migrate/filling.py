"""Copies a source into the stores of this installation, and lists its documents."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice

from ops.migrate.adopting import FoundDocuments
from ops.migrate.checkpoints import Checkpoints, checkpoint_path
from ops.migrate.comparing import Comparison
from ops.migrate.errors import SourceChangedError
from ops.migrate.history.comparing import compare_history
from ops.migrate.history.restoring import restore
from ops.migrate.installation import Installation
from ops.migrate.progress import Progress
from ops.migrate.source import Source
from shared.errors import EmbeddingMismatchError
from shared.rag.models import embedding_name
from shared.settings import Settings
from worker.commit.apply.in_flight import InFlight
from worker.commit.operations import Kind, Operation
from worker.leased import LeaseLostError

_DOCUMENTS_AT_ONCE = 300
# Each page is in memory twice and in pieces, and comparing it is work for this process alone.
_COMPARED_AT_ONCE = 2
_COMPARED_ALONE = frozenset({Kind.PUT_NODES, Kind.PUT_EDGES, Kind.PUT_VECTORS})


@dataclass(frozen=True)
class Filled:
    """What a copy brought."""

    documents: int
    """So many are listed now."""
    unlisted: list[str]
    """Ids of documents that are in the stores and cannot be listed."""


def require_same_embedding(source: Source, settings: Settings) -> None:
    """Refuse vectors that questions could not be compared with.

    Raises:
        EmbeddingMismatchError: they were made with another model, or have another length.
    """
    dimension, model = source.dimension(), source.embedding_model
    our_dimension, our_model = settings.embedding.dim, embedding_name(settings)
    if dimension not in {None, our_dimension} or model not in {"", our_model}:
        sentence = (
            f"The source's vectors have {dimension} numbers of {model or 'an unnamed model'}, "
            f"those of this installation {our_dimension} of {our_model}; set EMBEDDING_MODEL and "
            "EMBEDDING_DIM as they were when the source was filled."
        )
        raise EmbeddingMismatchError(sentence)


async def fill(installation: Installation, source: Source, progress: Progress) -> Filled:
    """Copy everything; a copy that was begun and broken off goes on where it was.

    Raises:
        TargetNotEmptyError: the workspace holds something else.
        SourceChangedError: somebody wrote into the source meanwhile.
        SourceUnreadableError: the source is damaged.
        UnavailableError: a store is away; the same command goes on.
    """
    checkpoints = await _begin(installation, source)
    begun = checkpoints.operations
    found = FoundDocuments()
    count = 0

    async def operations() -> AsyncIterator[Operation]:
        nonlocal count
        async for operation in source.operations():
            found.add(operation)
            progress.advance(operation)
            number, count = count, count + 1
            if number >= begun:
                yield operation
                checkpoints.reached(number)

    await installation.stores.fill(operations())
    await installation.finish()
    if source.fingerprint() != checkpoints.source:
        raise SourceChangedError
    await restore(installation, source, progress)
    await _list(installation, found)
    checkpoints.copied(count)
    return Filled(len(found), found.unlisted)


async def _begin(installation: Installation, source: Source) -> Checkpoints:
    checkpoints = await _checkpoints(installation, source)
    if checkpoints.find():
        return checkpoints
    await installation.require_empty()
    settings = installation.settings
    await installation.ledger.workspaces.remember_embedding(
        installation.lease.workspace, model=embedding_name(settings), dim=settings.embedding.dim
    )
    checkpoints.begin()
    return checkpoints


async def _checkpoints(installation: Installation, source: Source) -> Checkpoints:
    physical = installation.lease.physical
    return Checkpoints(
        checkpoint_path(installation.settings, physical),
        source=source.fingerprint(),
        seq=await installation.ledger.journals.last_seq(physical),
        is_durable_at_once=installation.is_durable_at_once,
    )


async def verify(installation: Installation, source: Source, progress: Progress) -> Comparison:
    """Read everything back through LightRAG's own classes and compare it with the source.

    Raises:
        SourceUnreadableError: the source is damaged.
        UnavailableError: a store is away.
    """
    comparison = Comparison(installation.rag)
    count = 0

    async def compare(operation: Operation) -> None:
        nonlocal count
        await comparison.compare(operation)
        progress.advance(operation)
        count += 1

    comparing = InFlight(compare, most=_COMPARED_AT_ONCE, alone=_COMPARED_ALONE)
    await comparing.carry_out(source.operations())
    await compare_history(installation, source, comparison, progress)
    checkpoints = await _checkpoints(installation, source)
    # What was copied whole and differs is not mended by going on.
    if not comparison.different or checkpoints.is_copied(count):
        checkpoints.remove()
    return comparison


async def _list(installation: Installation, found: FoundDocuments) -> None:
    documents = iter(found)
    while some := list(islice(documents, _DOCUMENTS_AT_ONCE)):
        if not await installation.ledger.documents.adopt(installation.lease, some):
            raise LeaseLostError

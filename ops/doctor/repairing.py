"""What --repair does: only what loses nothing, with the workspace's commit lease in its hand."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from lightrag.constants import GRAPH_FIELD_SEP

from ops.doctor.contents.comparing import look
from ops.doctor.contents.inventory import Inventory, Item
from ops.doctor.contents.reading import contents_of
from ops.doctor.ground import open_ground
from ops.doctor.report import Finding
from ops.doctor.vectors import Vectors
from ops.migrate.installation import Installation, with_workspace
from ops.repairing import repair_duplicates
from shared.errors import AppError
from shared.ids import WorkspaceName
from shared.rag.neo4j_driver import open_driver
from shared.settings import Settings
from worker.commit.apply.neo4j import FENCE_CONSTRAINT
from worker.commit.operations import Kind, Operation, cut
from worker.commit.unit_of_work.unit import VECTOR_STORAGES

_OWNERS = """
SELECT DISTINCT owner FROM listed JOIN sources ON sources.chunk = listed.chunk
WHERE listed.document = :document AND sources.kind = :kind ORDER BY owner
"""
_DONE = {
    "entities_vdb": "vectors of entities made",
    "relationships_vdb": "vectors of relations made",
    "chunks_vdb": "vectors of chunks made",
    "full_entities": "lists of entities made",
    "full_relations": "lists of relations made",
}


async def repair(settings: Settings, found: Sequence[Finding]) -> list[str]:
    """Mend what the findings say can be mended.

    Returns:
        A sentence for each workspace: what was done, or why it could not be.
    """
    codes: dict[str, set[str]] = {}
    for one in found:
        if one.repairable and one.workspace is not None:
            codes.setdefault(one.workspace, set()).add(one.code)
    sentences: list[str] = []
    for name, wrong in codes.items():
        try:
            await _repair(settings, WorkspaceName(name), wrong, sentences)
        except AppError as error:
            sentences.append(f"{name}: not repaired, {error.code}: {error.detail}")
    return sentences


async def _repair(
    settings: Settings, name: WorkspaceName, wrong: set[str], sentences: list[str]
) -> None:
    if "doctor.duplicates" in wrong:
        await repair_duplicates(settings, name, say=sentences.append)

    async def mend(installation: Installation) -> None:
        if settings.graph_in_neo4j:
            async with open_driver(settings) as driver:
                await driver.execute_query(FENCE_CONSTRAINT, database_=settings.neo4j.database)
        done = await _mend_contents(installation)
        what = ", ".join(f"{count:,} {said}" for said, count in done.items())
        opened = "opened: tables, indexes, constraints and commits are brought up to date"
        sentences.append(f"{name}: {what or opened}.")

    # Opening a workspace makes the tables, indexes and constraints that are missing; taking it
    # over applies what a commit left half done.
    await with_workspace(settings, name, mend, is_made=False, is_written=True)


async def _mend_contents(installation: Installation) -> Counter[str]:
    """Compare everything once more, now that nobody else writes, and write what is missing."""
    done: Counter[str] = Counter()
    settings = installation.settings
    workspace = await installation.ledger.workspaces.get(installation.lease.workspace)
    async with (
        open_ground(settings, is_alone=True) as ground,
        contents_of(ground, workspace) as contents,
    ):
        with Inventory() as inventory:
            await contents.read(inventory)
            answers = await look(inventory)

            async def counted() -> AsyncIterator[Operation]:
                async for operation in _operations(installation, inventory, answers):
                    removed = operation.kind is Kind.REMOVE_VECTORS
                    said = "orphan vectors removed" if removed else _DONE[operation.storage]
                    done[said] += len(operation.rows)
                    yield operation

            await installation.stores.fill(counted())
            await installation.finish()
    return done


async def _operations(
    installation: Installation, inventory: Inventory, answers: dict[str, list[Item]]
) -> AsyncIterator[Operation]:
    vectors = Vectors(installation.rag)
    for making in (
        vectors.of_entities(answers["doctor.entity_vectors"]),
        vectors.of_relations(answers["doctor.relation_vectors"]),
        vectors.of_chunks(answers["doctor.chunk_vectors"]),
    ):
        async for operation in making:
            yield operation
    for name in VECTOR_STORAGES:
        orphans = [key for storage, key in answers["doctor.orphan_vectors"] if storage == name]
        for operation in cut(Kind.REMOVE_VECTORS, name, orphans):
            yield operation
    for storage, kind in (("full_entities", "entity"), ("full_relations", "relation")):
        documents = [key for name, key in answers["doctor.document_anchors"] if name == storage]
        rows = ([key, _anchor(inventory, key, kind)] for key in documents)
        for operation in cut(Kind.PUT_ROWS, storage, rows):
            yield operation


def _anchor(inventory: Inventory, document: str, kind: str) -> dict[str, Any]:
    """Make the list of what a document tells of, from what the graph says of its chunks."""
    owners = [owner for (owner,) in inventory.ask(_OWNERS, document=document, kind=kind)]
    times = dict.fromkeys(("create_time", "update_time"), int(time.time()))
    if kind == "entity":
        return {"entity_names": owners, "count": len(owners), **times}
    pairs = [owner.split(GRAPH_FIELD_SEP, 1) for owner in owners]
    return {"relation_pairs": pairs, "count": len(pairs), **times}

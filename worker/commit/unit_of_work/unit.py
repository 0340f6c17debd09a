"""A LightRAG that reads from its stores and writes into memory."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from lightrag import LightRAG
from lightrag.constants import DEFAULT_SUMMARY_PRIORITY

from worker.commit.changes import Changes, GraphChanges, RowChanges, VectorChanges
from worker.commit.embed import Embedder
from worker.commit.unit_of_work.failures import Failures
from worker.commit.unit_of_work.graph import GraphUnit
from worker.commit.unit_of_work.rows import RowsUnit
from worker.commit.unit_of_work.vectors import VectorsUnit
from worker.crew import Crew, gathered_crew

ROW_STORAGES = (
    "full_docs",
    "text_chunks",
    "llm_response_cache",
    "full_entities",
    "full_relations",
    "entity_chunks",
    "relation_chunks",
)
VECTOR_STORAGES = ("entities_vdb", "relationships_vdb", "chunks_vdb")
GRAPH_STORAGE = "chunk_entity_relation_graph"
STATUS_STORAGE = "doc_status"

Complete = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class UnitOfWork:
    """The storages of one group's work, and the LightRAG that uses them."""

    rag: LightRAG
    rows: dict[str, RowsUnit]
    vectors: dict[str, VectorsUnit]
    graph: GraphUnit
    status: RowsUnit
    failures: Failures
    embedder: Embedder

    def read_from(self, rag: LightRAG) -> None:
        """Read from a LightRAG's own storages, when the unit of work below is in them."""
        for name, unit in self.storages.items():
            unit.read_from(getattr(rag, name))

    @property
    def storages(self) -> dict[str, RowsUnit | VectorsUnit | GraphUnit]:
        """All storages by the name under which LightRAG holds them."""
        return {
            **self.rows,
            **self.vectors,
            GRAPH_STORAGE: self.graph,
            STATUS_STORAGE: self.status,
        }

    async def changes(self) -> Changes:
        """Return what is to be written, when all of it is embedded.

        Raises:
            ModelUnavailableError, ModelRefusedError: the embedding model failed.
        """
        await self.embedder.finish()
        graph = self.graph
        return Changes(
            rows={name: RowChanges(unit.puts, unit.removals) for name, unit in self.rows.items()},
            vectors={
                name: VectorChanges(unit.puts, unit.vectors, unit.removals)
                for name, unit in self.vectors.items()
            },
            graph=GraphChanges(graph.nodes, graph.edges, graph.removed_nodes, graph.removed_edges),
            status=RowChanges(self.status.puts, self.status.removals),
        )


@asynccontextmanager
async def open_unit_of_work(
    rag: LightRAG,
    guard: Callable[[Complete], Complete],
    *,
    below: UnitOfWork | None = None,
) -> AsyncIterator[UnitOfWork]:
    """Give a unit of work over a LightRAG; no model call of it outlives the block.

    Args:
        rag: reads come from its storages, which stay as they are.
        guard: wraps the model function with which LightRAG summarises descriptions.
        below: another unit of work, whose changes are read as if they were in the storages.
    """
    failures = Failures()
    lower = {} if below is None else below.storages

    def storage(name: str) -> Any:  # noqa: ANN401 - one of LightRAG's, or a unit before it
        return lower.get(name) or getattr(rag, name)

    async with gathered_crew() as crew:
        rows = {name: RowsUnit(storage(name), failures) for name in ROW_STORAGES}
        # Before the chunks of all that is being extracted: LightRAG's queue has one row for all.
        embed = partial(rag.embedding_func, _priority=DEFAULT_SUMMARY_PRIORITY)
        embedder = Embedder(crew.watch(embed), batch_size=rag.embedding_batch_num)
        graph = GraphUnit(storage(GRAPH_STORAGE), failures)
        vectors = {
            name: VectorsUnit(storage(name), embedder, graph, failures) for name in VECTOR_STORAGES
        }
        unit = UnitOfWork(
            rag=_working_on(rag, crew, _recorded(guard, failures)),
            rows=rows,
            vectors=vectors,
            graph=graph,
            status=RowsUnit(storage(STATUS_STORAGE), failures),
            failures=failures,
            embedder=embedder,
        )
        for name, unit_storage in unit.storages.items():
            setattr(unit.rag, name, unit_storage)
        yield unit


def _working_on(rag: LightRAG, crew: Crew, guard: Callable[[Complete], Complete]) -> LightRAG:
    working = copy.copy(rag)
    # Once a unit of work: LightRAG deep-copies its fields for every document otherwise.
    config = rag._build_global_config()  # noqa: SLF001 - pinned internals
    models = config["role_llm_funcs"]
    # Both are watched: whoever asks for a summary, and the call that several may wait for.
    watched = crew.watch(guard(crew.watch(models["extract"])))
    config["role_llm_funcs"] = {**models, "extract": watched}
    working._build_global_config = lambda: config  # noqa: SLF001 - as above
    return working


def _recorded(
    guard: Callable[[Complete], Complete], failures: Failures
) -> Callable[[Complete], Complete]:
    def wrap(call: Complete) -> Complete:
        guarded = guard(call)

        async def recorded(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - LightRAG's
            with failures.recorded():
                return await guarded(*arguments, **options)

        return recorded

    return wrap

"""The graph storage of a unit of work; relations have no direction, as in LightRAG."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from worker.commit.unit_of_work.failures import Failures
from worker.commit.unit_of_work.passing import passed_through

Properties = dict[str, Any]
Pair = tuple[str, str]
# One query reads this many names: Neo4j plans one UNWIND, replies stay bounded.
_READ_AT_ONCE = 2000
# A relation that only `get_nodes_edges_batch` told of: it is there, its properties are not known.
_UNREAD: Properties = {}


class GraphUnit:
    """Stands where LightRAG keeps its graph: reads fall through, writes stay here."""

    def __init__(self, storage: Any, failures: Failures) -> None:  # noqa: ANN401 - one of LightRAG's
        self._storage = storage
        self._failures = failures
        self._nodes: dict[str, Properties | None] = {}
        self._edges: dict[Pair, Properties | None] = {}
        self._neighbours: dict[str, set[str]] = {}
        """Of nodes whose relations were read: the other ends, as the storage has them."""
        self._written_ends: defaultdict[str, set[str]] = defaultdict(set)
        self._touched_nodes: set[str] = set()
        self._touched_edges: set[Pair] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - namespace, global_config, …
        return passed_through(self._storage, name, self._failures)

    async def prefetch(self, names: Iterable[str], pairs: Iterable[Pair]) -> None:
        """Read many entities and relations in few round trips; later reads find them here."""
        missing = [name for name in dict.fromkeys(names) if name not in self._nodes]
        for start in range(0, len(missing), _READ_AT_ONCE):
            some = missing[start : start + _READ_AT_ONCE]
            with self._failures.recorded():
                found = await self._storage.get_nodes_batch(some)
            self._nodes |= {name: found.get(name) for name in some}
        absent = [pair for pair in dict.fromkeys(map(_sorted, pairs)) if pair not in self._edges]
        for start in range(0, len(absent), _READ_AT_ONCE):
            await self._read_edges(absent[start : start + _READ_AT_ONCE])

    async def has_node(self, name: str) -> bool:
        """Tell whether an entity is there."""
        return await self.get_node(name) is not None

    async def get_node(self, name: str) -> Properties | None:
        """Return an entity."""
        await self.prefetch([name], [])
        return _copied(self._nodes[name])

    async def get_nodes_batch(self, names: list[str]) -> dict[str, Properties]:
        """Return those entities that are there."""
        await self.prefetch(names, [])
        return {name: dict(found) for name in names if (found := self._nodes[name]) is not None}

    async def has_edge(self, one: str, two: str) -> bool:
        """Tell whether a relation is there."""
        return await self.get_edge(one, two) is not None

    async def get_edge(self, one: str, two: str) -> Properties | None:
        """Return a relation."""
        await self.prefetch([], [(one, two)])
        return _copied(self._edges[_sorted((one, two))])

    async def get_edges_batch(self, pairs: list[dict[str, str]]) -> dict[Pair, Properties]:
        """Return those relations that are there, under the pairs that were asked for."""
        asked = [(pair["src"], pair["tgt"]) for pair in pairs]
        await self.prefetch([], asked)
        found = {pair: self._edges[_sorted(pair)] for pair in asked}
        return {pair: dict(edge) for pair, edge in found.items() if edge is not None}

    async def get_node_edges(self, name: str) -> list[Pair] | None:
        """Return an entity's relations as (entity, other end); None: there is no such entity."""
        if not await self.has_node(name):
            return None
        return (await self.get_nodes_edges_batch([name]))[name]

    async def get_nodes_edges_batch(self, names: list[str]) -> dict[str, list[Pair]]:
        """Return the relations of several entities as (entity, other end)."""
        unread = [name for name in names if name not in self._neighbours]
        if unread:
            with self._failures.recorded():
                stored = await self._storage.get_nodes_edges_batch(unread)
            for name in unread:
                self._neighbours[name] = {end for pair in stored[name] for end in pair} - {name}
        return {name: [(name, other) for other in self._present_ends(name)] for name in names}

    async def upsert_node(self, name: str, node_data: Properties) -> None:
        """Write an entity; LightRAG goes on changing the properties it handed over."""
        self._nodes[name] = {**(self._nodes.get(name) or {}), **node_data}
        self._touched_nodes.add(name)

    async def upsert_edge(self, one: str, two: str, edge_data: Properties) -> None:
        """Write a relation."""
        pair = _sorted((one, two))
        self._edges[pair] = {**(self._edges.get(pair) or {}), **edge_data}
        self._touched_edges.add(pair)
        self._written_ends[one].add(two)
        self._written_ends[two].add(one)

    async def delete_node(self, name: str) -> None:
        """Remove an entity and its relations."""
        await self.remove_nodes([name])

    async def remove_nodes(self, names: list[str]) -> None:
        """Remove entities and their relations."""
        ends = await self.get_nodes_edges_batch(list(names))
        await self.remove_edges([pair for pairs in ends.values() for pair in pairs])
        self._nodes |= dict.fromkeys(names)
        self._touched_nodes |= set(names)

    async def remove_edges(self, pairs: Sequence[Pair]) -> None:
        """Remove relations."""
        gone = [_sorted(pair) for pair in pairs]
        self._edges |= dict.fromkeys(gone)
        self._touched_edges |= set(gone)

    def read_from(self, storage: Any) -> None:  # noqa: ANN401 - one of LightRAG's
        """Read from another storage from now on, which holds the same by now."""
        self._storage = storage

    async def index_done_callback(self) -> None:
        """Nothing is flushed before the journal is written."""

    @property
    def nodes(self) -> dict[str, Properties]:
        """The entities that were written, as they are at the end."""
        found = ((name, self._nodes[name]) for name in sorted(self._touched_nodes))
        return {name: node for name, node in found if node is not None}

    @property
    def edges(self) -> dict[Pair, Properties]:
        """The relations that were written, as they are at the end."""
        found = ((pair, self._edges[pair]) for pair in sorted(self._touched_edges))
        return {pair: edge for pair, edge in found if edge is not None}

    @property
    def removed_nodes(self) -> list[str]:
        """The entities that are gone at the end."""
        return sorted(name for name in self._touched_nodes if self._nodes[name] is None)

    @property
    def removed_edges(self) -> list[Pair]:
        """The relations that are gone at the end."""
        return sorted(pair for pair in self._touched_edges if self._edges[pair] is None)

    async def _read_edges(self, pairs: list[Pair]) -> None:
        asked = [{"src": one, "tgt": two} for one, two in pairs]
        with self._failures.recorded():
            found = await self._storage.get_edges_batch(asked)
        self._edges |= {pair: found.get(pair) for pair in pairs}

    def _present_ends(self, name: str) -> list[str]:
        candidates = self._neighbours.get(name, set()) | self._written_ends[name]
        return sorted(
            other
            for other in candidates
            if self._edges.get(_sorted((name, other)), _UNREAD) is not None
        )


def _sorted(pair: Pair) -> Pair:
    one, two = pair
    return (one, two) if one <= two else (two, one)


def _copied(properties: Properties | None) -> Properties | None:
    return None if properties is None else dict(properties)

"""Counts, bytes and names of a stream of operations."""

import json
from collections import defaultdict

from ops.migrate.census.record import Names
from ops.migrate.tally import section_of
from worker.commit.operations import Kind, Operation


class Sizes:
    """Adds operations up."""

    def __init__(self) -> None:
        self._amounts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.names = Names()

    @property
    def amounts(self) -> dict[str, tuple[int, int]]:
        """Items and bytes by section; a row's bytes are those of its JSON and its vector."""
        return {section: (count, size) for section, (count, size) in self._amounts.items()}

    def add(self, operation: Operation) -> None:
        """Count the rows of an operation that puts some."""
        amount = self._amounts[section_of(operation)]
        amount[0] += len(operation.rows)
        amount[1] += len(json.dumps(operation.rows, ensure_ascii=False).encode(errors="replace"))
        amount[1] += sum(map(len, operation.vectors))
        match operation.kind:
            case Kind.PUT_STATUS:
                self.names.documents.update(doc_id for doc_id, _ in operation.rows)
            case Kind.PUT_NODES:
                self.names.entities.update(name for name, _ in operation.rows)
            case Kind.PUT_EDGES:
                pairs = ((min(a, b), max(a, b)) for a, b, _ in operation.rows)
                self.names.relations.update(pairs)
            case _:
                pass

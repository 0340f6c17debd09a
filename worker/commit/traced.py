"""The spans of a group: its own in the trace of one of its documents, and one in each other's.

A group has many documents, each with a trace of its own, and a span has one parent. So what is
done for all of them together is in the trace of the first that is written down, with links to the
others; in each document's own trace stands how long its commit took, with a link to the group's.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.ledger.records import Task
from shared.ledger.task_ids import ids_of
from shared.tracing import spans

# Nobody looks at more, and they are sent with every span of the group.
_MOST_LINKS = 50


@dataclass(frozen=True)
class GroupTrace:
    """Whose traces a group is in."""

    tasks: Sequence[Task]
    workspace: str
    began_at_ns: int = field(default_factory=time.time_ns)

    @contextmanager
    def step(self, name: str, attributes: spans.Attributes) -> Iterator[None]:
        """Write down something that is done for the whole group."""
        sampled = [task.trace_parent for task in self.tasks if spans.is_sampled(task.trace_parent)]
        parents = [parent for parent in sampled if parent is not None]
        origin = spans.Origin(
            parent=parents[0] if parents else None, links=parents[1 : 1 + _MOST_LINKS]
        )
        known = {"workspace": self.workspace, "documents": len(self.tasks), **attributes}
        with spans.span(name, known, origin=origin):
            yield

    def committed(self) -> None:
        """Write into each document's own trace that it is in the stores now."""
        if not spans.is_on():
            return
        here = spans.traceparent()
        for task in self.tasks:
            if spans.is_sampled(task.trace_parent):
                origin = spans.Origin(
                    task.trace_parent, [here] if here else [], began_at_ns=self.began_at_ns
                )
                with spans.detached_span(
                    "commit", {**ids_of(task), "stage": "commit"}, origin=origin
                ):
                    pass

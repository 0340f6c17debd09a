"""What is said of a stage of one task: ids on every log line, and the span around it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.contract.names import QueueName
from shared.ledger.records import Task
from shared.ledger.task_ids import ids_of
from shared.logs import bind
from shared.tracing import spans


@contextmanager
def stage_of(task: Task, queue: QueueName, *, attempt: int) -> Iterator[None]:
    """Run a stage of a task within the block.

    Its span follows the message that asked for it; where none did but the sweeper, the request
    that the task came from.
    """
    bind(**ids_of(task))
    attributes: spans.Attributes = {
        **ids_of(task),
        "stage": queue.value,
        "attempt": attempt,
        "messaging.operation.type": "process",
        "messaging.destination.name": queue.value,
    }
    origin = spans.Origin(parent=None if spans.ids() else task.trace_parent)
    with spans.span(queue.value, attributes, kind=spans.Kind.CONSUMER, origin=origin):
        yield


class Clock:
    """Measures how long something takes."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()

    @property
    def duration_ms(self) -> float:
        """How long it took until now, for a log line."""
        return round((time.perf_counter() - self._began_s) * 1000, 1)

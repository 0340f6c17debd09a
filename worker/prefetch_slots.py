"""How many messages a worker takes at once: a batch of a book takes as many places as chunks.

A worker has a place for each of its threads and would fill all of them with the batches of one
book, whatever the other workers have to do: the broker asks nobody how large a message is. So a
batch holds a place for each model call that it can have open, as Celery itself holds one for a
message with an ETA: by the prefetch count (kombu.common.QoS).
"""

from functools import partial
from typing import Any

from celery import signals

from shared.contract.names import TaskName


class PrefetchSlots:
    """The places that batches hold beyond their own.

    A connection's QoS takes no lock, so it is changed in the thread of Celery's event loop alone.
    """

    def __init__(self, *, per_batch: int) -> None:
        self._beyond_its_own = per_batch - 1
        self._releases: dict[str, partial[Any]] = {}

    def connect(self) -> None:
        """Listen to Celery's signals."""
        signals.task_received.connect(self._take, weak=False)
        signals.task_postrun.connect(self._release, weak=False)

    def _take(self, sender: Any, request: Any, **_: Any) -> None:  # noqa: ANN401 - celery's arguments
        # The same message may be delivered twice; it is turned away by its lease.
        if request.name != TaskName.EXTRACT or request.id in self._releases:
            return
        qos, hub = sender.qos, sender.hub
        # One is left, or the worker would never take a message again.
        held = min(self._beyond_its_own, qos.value - 1)
        qos.decrement_eventually(held)
        # This also wakes the event loop, which may sleep while there is no place.
        self._releases[request.id] = partial(hub.call_soon, qos.increment_eventually, held)

    def _release(self, task_id: str, **_: Any) -> None:  # noqa: ANN401 - celery's arguments
        if release := self._releases.pop(task_id, None):
            release()

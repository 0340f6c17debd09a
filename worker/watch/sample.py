"""One look at everything; who does not answer leaves a gap, not a failure."""

import asyncio
from dataclasses import dataclass

from shared.contract.names import QueueName
from shared.errors import LedgerUnavailableError, QueueUnavailableError
from shared.ledger.ledger import Ledger
from shared.ledger.workload import WorkSeen
from worker.watch.broker import Broker, BrokerSeen

STAGES = (QueueName.PREPARE, QueueName.EXTRACT, QueueName.COMMIT)
"""The queues whose workers are scaled."""


@dataclass(frozen=True)
class Sample:
    """What ledger and broker said; None: no answer."""

    work: WorkSeen | None
    broker: BrokerSeen | None

    def backlog_per_task(self, queue: QueueName) -> float | None:
        """Share the backlog of a stage out over the workers that serve its queue.

        Without any it is the backlog itself, as if there were one: 0 keeps a fleet at nothing, and
        more than 0 starts its first worker. None: ledger or broker did not answer.
        """
        if self.work is None or self.broker is None:
            return None
        return self.work.queues[queue].backlog / max(1, self.broker.consumers[queue])


async def take_sample(ledger: Ledger, broker: Broker) -> Sample:
    """Look at ledger and broker at the same time."""
    work, seen = await asyncio.gather(_work(ledger), _broker(broker))
    return Sample(work, seen)


async def _work(ledger: Ledger) -> WorkSeen | None:
    try:
        return await ledger.workload.look()
    except LedgerUnavailableError:
        return None


async def _broker(broker: Broker) -> BrokerSeen | None:
    try:
        return await asyncio.to_thread(broker.look)
    except QueueUnavailableError:
        return None

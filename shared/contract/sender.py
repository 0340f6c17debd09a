"""How work is asked for: an interface, and the fake that remembers what was sent."""

from typing import Protocol

from shared.contract.names import QUEUE_OF, QueueName
from shared.contract.payloads import Payload
from shared.errors import QueueUnavailableError


class Sender(Protocol):
    """Puts messages on their queue."""

    async def send(self, payload: Payload) -> None:
        """Put one message on its queue.

        Raises:
            QueueUnavailableError: the broker did not take it; the sweeper will send it later.
        """

    async def depth(self, queue: QueueName) -> int:
        """Count the messages that wait in a queue.

        Raises:
            QueueUnavailableError: the broker did not answer.
        """

    async def close(self) -> None:
        """Let go of connections."""


class MemorySender:
    """Remembers what was sent; `available = False` behaves like a broker that is down."""

    def __init__(self) -> None:
        self.sent: list[Payload] = []
        self.available = True

    async def send(self, payload: Payload) -> None:
        """Remember one message.

        Raises:
            QueueUnavailableError: the sender was told to be unavailable.
        """
        self._require_available()
        self.sent.append(payload)

    async def depth(self, queue: QueueName) -> int:
        """Count the remembered messages of a queue."""
        self._require_available()
        return sum(QUEUE_OF[payload.name] is queue for payload in self.sent)

    async def close(self) -> None:
        """Nothing is held."""

    def _require_available(self) -> None:
        if not self.available:
            raise QueueUnavailableError

"""What a channel says whose connection is gone: an error that Celery expects.

When Redis goes away, Celery closes the connection twice. The second time, for each message that is
in hand, Kombu asks the transport that the first time took away, and fails with an AttributeError,
which ends the worker. So it does later, when it acknowledges one of these messages. Told as an
error of the connection, a worker connects anew and goes on. The broker keeps the messages as
unacknowledged ones, and the ledger knows whose each of them is.
"""

from typing import Any

from kombu.transport.redis import Channel, Transport
from redis.exceptions import ConnectionError as NotConnectedError


class ExpectedWhenBroken(Channel):
    """A channel of Redis that tells of a lost connection in the words of Redis."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - kombu's
        if self.connection is None or self.connection.client is None:
            raise NotConnectedError("The connection of this channel was closed.")
        parameters: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[no-untyped-call]
        return parameters


def outlive_the_broker() -> None:
    """Have all connections of this process use such channels, with TLS and without."""
    Transport.Channel = ExpectedWhenBroken

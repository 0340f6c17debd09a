"""Sends messages through Celery without knowing any task's code."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from shared.contract.celery_options import shared_options
from shared.contract.names import QUEUE_OF, QueueName
from shared.contract.payloads import Payload
from shared.errors import QueueRefusedError, QueueTlsError, QueueUnavailableError
from shared.metrics.stores import count_store_error
from shared.tls import tls_fault
from shared.tracing.spans import Kind, headers, span

# Of our own: a broker that hangs holds each for a second, and uploads are written in the others.
_THREADS = 8
_BROKER_ERRORS = (OperationalError, redis.RedisError, OSError)
_CLOSED_DOORS = (redis.AuthenticationError, redis.exceptions.NoPermissionError)

_TLS_SETTINGS = "BROKER_URL, or REDIS_HOST, REDIS_SSL and REDIS_SSL_CA_CERTS"


class CelerySender:
    """Keeps one producer pool; Celery's client blocks, so it runs in threads."""

    def __init__(self, broker_url: str) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sender")
        self._app = Celery("ragfleet-sender", set_as_current=False)
        self._app.conf.update(shared_options(broker_url))
        options = self._app.conf.broker_transport_options
        # A hung broker costs one second: the answer to an upload waits for this.
        self._app.conf.broker_transport_options = {**options, "socket_timeout": 1}
        # Retrying here would only delay the sweeper, which retries anyway.
        self._app.conf.task_publish_retry_policy = {"max_retries": 0}
        # Kombu would try to connect again and again; a probe wants an answer now.
        self._redis = redis.Redis.from_url(
            broker_url, socket_connect_timeout=1, socket_timeout=1, client_name="ragfleet-sender"
        )

    async def send(self, payload: Payload) -> None:
        """Put one message on its queue.

        Raises:
            QueueUnavailableError: the broker did not take it, or (QueueRefusedError) us.
        """
        queue = QUEUE_OF[payload.name].value
        attributes = {"messaging.operation.type": "send", "messaging.destination.name": queue}
        with span(f"send {queue}", attributes, kind=Kind.PRODUCER):
            # With the context: lines of the client's own bear the ids of the request, too.
            send = partial(contextvars.copy_context().run, self._send, payload)
            await asyncio.get_running_loop().run_in_executor(self._threads, send)

    async def depth(self, queue: QueueName) -> int:
        """Count the messages that wait in a queue, not those already handed to a worker.

        Raises:
            QueueUnavailableError: the broker did not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._depth, queue)

    async def close(self) -> None:
        """Close the broker connections."""
        await asyncio.to_thread(self._app.close)
        await asyncio.to_thread(self._redis.close)

    def _send(self, payload: Payload) -> None:
        try:
            self._app.send_task(
                payload.name.value,
                kwargs=payload.model_dump(mode="json"),
                queue=QUEUE_OF[payload.name].value,
                headers=headers() or None,
            )
        except _BROKER_ERRORS as error:
            raise _named(error) from None

    def _depth(self, queue: QueueName) -> int:
        try:
            # A queue is a list of the same name.
            waiting = self._redis.llen(queue.value)
        except _BROKER_ERRORS as error:
            raise _named(error) from None
        assert isinstance(waiting, int)  # noqa: S101 - the client is not an asynchronous one
        return waiting


def _named(error: BaseException) -> QueueUnavailableError:
    """Tell a broker that does not let us in from one that is away; Kombu wraps what Redis says."""
    ours = _translated(error)
    count_store_error("broker", ours)
    return ours


def _translated(error: BaseException) -> QueueUnavailableError:
    if fault := tls_fault(error):
        sentence = f"{fault.told_of('The message broker')}; check {_TLS_SETTINGS}."
        return QueueTlsError(sentence)
    refused = isinstance(error, _CLOSED_DOORS) or isinstance(error.__cause__, _CLOSED_DOORS)
    return QueueRefusedError() if refused else QueueUnavailableError()

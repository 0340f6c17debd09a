"""Who is at work, as the broker knows it: consumers of each queue, beat, and room for messages."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import redis
from celery import Celery
from kombu.exceptions import OperationalError
from redis.asyncio import Redis

from ops.doctor.redis_checks import check_memory
from ops.doctor.report import Finding, Reporter, Status
from shared.connections import broker_url
from shared.contract.celery_options import shared_options
from shared.contract.names import QueueName
from shared.settings import Settings
from worker.beat_health import judge_due, next_sweep_s
from worker.health import UnhealthyError

_BROKER = Reporter("health.broker")
_BEAT = Reporter("health.beat")
_MEMORY = Reporter("health.redis_memory")
# Workers answer in milliseconds, those that are busy within a turn of their loop.
_PATIENCE_S = 3.0
_TIMEOUT_S = 5.0
_AWAY = (OperationalError, redis.RedisError, OSError)


async def ask_broker(settings: Settings) -> list[Finding]:
    """Ask the broker, and through it the workers; one that is away answers for all."""
    url = broker_url(settings)
    try:
        memory = await _memory(url)
        queues = await asyncio.to_thread(_queues_of_workers, url)
        due_s = await asyncio.to_thread(next_sweep_s, url)
    except _AWAY:
        return [_BROKER.error("The broker does not answer; start Redis, or look at REDIS_*.")]
    return [
        _BROKER.ok("The broker answers."),
        memory,
        *judge_consumers(queues),
        _judge_beat(due_s),
    ]


def judge_consumers(queues: Mapping[str, list[dict[str, Any]]]) -> list[Finding]:
    """Judge whether each queue has somebody who takes its messages.

    Args:
        queues: of each worker that answered, as Celery tells them.
    """
    consumers = Counter(queue["name"] for served in queues.values() for queue in served)
    found = []
    for queue in QueueName:
        reporter = Reporter(f"health.queue_{queue.value}")
        if number := consumers[queue.value]:
            workers = "worker takes" if number == 1 else "workers take"
            found.append(reporter.ok(f"{number} {workers} messages from {queue.value}."))
        else:
            sentence = f"No worker takes messages from {queue.value}; start one that serves it."
            found.append(reporter.error(sentence))
    return found


def _queues_of_workers(url: str) -> dict[str, list[dict[str, Any]]]:
    app = Celery("ragfleet-health", set_as_current=False)
    app.conf.update(shared_options(url))
    # A broker that is away is a finding, not something to wait for.
    app.conf.broker_connection_retry = False
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=_TIMEOUT_S)
        inspect = app.control.inspect(timeout=_PATIENCE_S, connection=connection)
        queues: dict[str, list[dict[str, Any]]] | None = inspect.active_queues()
    return queues or {}


def _judge_beat(due_s: float | None) -> Finding:
    try:
        return _BEAT.ok(judge_due(due_s, now_s=time.time()))
    except UnhealthyError as error:
        return _BEAT.error(f"{error} Start beat.")


async def _memory(url: str) -> Finding:
    client = Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        client_name="ragfleet-health",
        decode_responses=True,
    )
    async with client:
        found = await check_memory(client)
    # Doctor warns; whoever watches a fleet is to be called before it is full.
    status = Status.ERROR if found.status is Status.WARNING else found.status
    return replace(found, code=_MEMORY.code, status=status)

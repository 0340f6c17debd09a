"""What senders and workers must configure alike for messages to arrive."""

from typing import Any

from kombu.entity import Queue

from shared.contract.names import QUEUE_OF, QueueName

# Longer than any stage may run plus its wait in a process, or Redis hands the message out again
# while it is worked on. A crashed process costs no such wait: its lease in the ledger is short.
VISIBILITY_TIMEOUT_S = 4 * 3600


def shared_options(broker_url: str) -> dict[str, Any]:
    """Return Celery options that both sides need.

    Args:
        broker_url: a redis:// or rediss:// URL.
    """
    return {
        "broker_url": broker_url,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_queues": [Queue(name.value) for name in QueueName],  # type: ignore[no-untyped-call] # half typed
        "task_routes": {task.value: {"queue": queue.value} for task, queue in QUEUE_OF.items()},
        "task_create_missing_queues": False,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            # A broker that hangs must not hang its clients.
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
    }

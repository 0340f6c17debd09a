"""The names of tasks and queues, known to senders and receivers alike."""

from enum import StrEnum


class TaskName(StrEnum):
    """What a message asks for."""

    PREPARE = "documents.prepare"
    EXTRACT = "documents.extract"
    COMMIT = "workspaces.commit"
    SWEEP = "maintenance.sweep"
    CLEAN = "maintenance.clean"
    BACK_UP = "maintenance.back_up"


class QueueName(StrEnum):
    """Where a message waits; a worker process serves one or several of these."""

    PREPARE = "prepare"
    EXTRACT = "extract"
    COMMIT = "commit"
    MAINTENANCE = "maintenance"


QUEUE_OF = {
    TaskName.PREPARE: QueueName.PREPARE,
    TaskName.EXTRACT: QueueName.EXTRACT,
    TaskName.COMMIT: QueueName.COMMIT,
    TaskName.SWEEP: QueueName.MAINTENANCE,
    TaskName.CLEAN: QueueName.MAINTENANCE,
    TaskName.BACK_UP: QueueName.MAINTENANCE,
}

"""The ids by which a task is found again, in log lines and in traces alike."""

from shared.ledger.records import Task


def ids_of(task: Task) -> dict[str, str | None]:
    """Return the fields that tell of which task a line or span is; None: it has no such id."""
    return {
        "task_id": task.id,
        "document_id": task.doc_id,
        "workspace": task.workspace,
        "request_id": task.request_id,
    }

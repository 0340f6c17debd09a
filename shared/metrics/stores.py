"""How often a store, the ledger, the broker or S3 could not do what was asked."""

from prometheus_client import Counter

from shared.errors import AppError
from shared.metrics.process import PROCESS

_ERRORS = Counter(
    "ragfleet_store_errors",
    "Requests to a store that failed because it was away or refused us.",
    ["store", "code"],
    registry=PROCESS,
)


def count_store_error(store: str, error: AppError) -> None:
    """Count one failure.

    Args:
        store: ledger, postgresql, redis, neo4j, s3, broker, or other.
        error: what it was translated into; its code is a label, its words are not.
    """
    _ERRORS.labels(store, error.code).inc()

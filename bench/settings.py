"""The settings of one run, the same for both systems wherever both have them."""

from dataclasses import dataclass

CHAT_MODEL = "stub-chat"
EMBEDDING_MODEL = "stub-embedding"


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The endpoint, and what LightRAG makes of texts before and after it."""

    url: str
    concurrency: int
    """How many chat calls the whole system may have in flight."""
    embedding_concurrency: int = 16
    query_share: float = 0.0
    """What our system keeps free for questions; stock keeps nothing."""
    chunk_tokens: int = 1200
    overlap_tokens: int = 100
    gleaning: int = 1
    dimension: int = 384


@dataclass(frozen=True, kw_only=True)
class FleetShape:
    """How many of our processes run."""

    workers: tuple[tuple[str, int], ...]
    """Queues and how many processes serve them."""
    apis: int = 1


@dataclass(frozen=True, kw_only=True)
class StockShape:
    """What of stock's own settings was tried; the rest is as it comes."""

    max_async: int
    max_parallel_insert: int
    embedding_max_async: int = 16
    embedding_batch: int = 10
    gunicorn_workers: int = 0
    """0: `lightrag-server`; otherwise `lightrag-gunicorn` with so many processes."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long the endpoint takes for a call."""

    chat_s: float = 0.5
    embedding_s: float = 0.05

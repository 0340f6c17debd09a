"""Opens the budget of one model: the fleet's in Redis, or this process's own in files mode."""

import hashlib

from shared.connections import shared_redis_url
from shared.rag.budget.base import Limits, ModelBudget
from shared.rag.budget.fallback import FallbackBook
from shared.rag.budget.gate import Gate
from shared.rag.budget.memory import MemoryBook
from shared.rag.budget.redis import RedisBook, open_redis
from shared.settings import Settings
from shared.settings_sections import EmbeddingSettings, LanguageModelSettings


def open_budget(
    settings: Settings, model: LanguageModelSettings | EmbeddingSettings, *, url: str
) -> ModelBudget:
    """Make the budget of the model that is called at `url`; nothing connects before it is used."""
    limits = Limits(
        concurrency=model.max_concurrency,
        requests_per_minute=model.requests_per_minute,
        tokens_per_minute=model.tokens_per_minute,
        query_share=model.query_share,
    )
    redis_url = shared_redis_url(settings)
    if redis_url is None:
        return Gate(MemoryBook(limits))
    # Limits belong to an account and a model; with another key begins another account.
    account = f"{url}\n{model.model}\n{model.api_key.get_secret_value()}"
    name = hashlib.sha256(account.encode()).hexdigest()[:16]
    return Gate(FallbackBook(RedisBook(open_redis(redis_url), name, limits), limits))

"""The book of the whole fleet, kept in Redis by one script: one round trip an exchange."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from shared.rag.budget.base import Grant, Limits, Order, PauseReason, Refusal
from shared.rag.budget.rules import RULES, Allowance
from shared.rag.budget.script import EXCHANGE

# Callers wait behind an exchange; a Redis that does not answer in this time is taken for away.
_TIMEOUT_S = 1.0
# A newer process may know more of them; a pause without a reason is one all the same.
_REASONS = {reason.value: reason for reason in PauseReason}


def open_redis(url: str) -> Redis:
    """Make the client; nothing connects yet.

    An order may be repeated: it states what is held. Only its correction would count twice.
    """
    return Redis.from_url(
        url,
        client_name="ragfleet-budget",
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        # Once more at once: a kept connection may have been closed by the other side.
        retry=Retry(NoBackoff(), 1),
    )


class RedisBook:
    """See `Book`.

    Args:
        redis: a client that is closed with the book.
        name: the model's account; the same in every process of the fleet.
        limits: as this process's settings have them; the last one that comes decides.
        clock_ms: a clock for tests; Redis's own otherwise.
    """

    def __init__(
        self, redis: Redis, name: str, limits: Limits, *, clock_ms: Callable[[], int] | None = None
    ) -> None:
        self._redis = redis
        # The braces keep both keys in one slot of a cluster.
        self._keys = (f"ragfleet:budget:{{{name}}}", f"ragfleet:budget:{{{name}}}:holders")
        self._clock_ms = clock_ms
        self._digest = ""
        self._rules = json.dumps(asdict(RULES))
        self._limits = {
            "concurrency": limits.concurrency,
            "query_share": limits.query_share,
            "requests": asdict(Allowance(limits.requests_per_minute)),
            "tokens": asdict(Allowance(limits.tokens_per_minute)),
        }

    async def exchange(self, order: Order) -> Grant:
        """Take note of what a process holds, and grant what it may start.

        Raises:
            RedisError: Redis did not answer.
        """
        now_ms = -1 if self._clock_ms is None else self._clock_ms()
        statement = self._limits | {
            "holder": order.holder,
            "queries": order.queries,
            "ingestion": order.ingestion,
            "query_tokens": order.query_tokens,
            "ingestion_tokens": order.ingestion_tokens,
            "commits": order.commits,
            "correction": order.correction,
        }
        if order.refusal is not None:
            statement["refusal"] = _written(order.refusal)
        queries, ingestion, pause_ms, reason, retry_ms, limit, holders = await self._evaluate(
            json.dumps(statement), self._rules, now_ms
        )
        return Grant(
            queries=queries,
            ingestion=ingestion,
            pause_s=pause_ms / 1000,
            pause_reason=_REASONS.get(reason.decode(), PauseReason.NONE),
            retry_s=retry_ms / 1000,
            limit=limit,
            holders=holders,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _evaluate(self, *arguments: str | int) -> list[Any]:
        if not self._digest:
            self._digest = await self._redis.script_load(EXCHANGE)
        for _ in range(2):
            try:
                reply = await self._redis.evalsha(self._digest, 2, *self._keys, *arguments)
            except NoScriptError:  # Redis was restarted
                await self._redis.script_load(EXCHANGE)
            else:
                return cast("list[Any]", reply)
        raise NoScriptError


def _written(refusal: Refusal) -> dict[str, Any]:
    pause_ms = -1 if refusal.pause_s is None else int(refusal.pause_s * 1000)
    return {"reason": refusal.reason.value, "pause": pause_ms}

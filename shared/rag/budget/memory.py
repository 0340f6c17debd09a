"""The book of one process: files mode, tests, and what is left when Redis is away."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.rag.budget.base import Grant, Limits, Order, PauseReason, Refusal
from shared.rag.budget.rules import RULES, Allowance, reserved


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@dataclass
class _Holder:
    """What one process said last."""

    queries: int
    ingestion: int
    queries_wanted: int
    ingestion_wanted: int
    commits_wanted: int
    """Part of what is wanted for ingestion."""
    seen_ms: int

    @property
    def is_idle(self) -> bool:
        return not (self.queries or self.ingestion or self.queries_wanted or self.ingestion_wanted)


class _Bucket:
    """An allowance that is being used."""

    def __init__(self, per_minute: int, now_ms: int) -> None:
        self._allowance = Allowance(per_minute)
        self.level = self._allowance.capacity
        self._filled_ms = now_ms

    @property
    def capacity(self) -> float:
        return self._allowance.capacity

    def fill(self, now_ms: int) -> None:
        grown = self.level + (now_ms - self._filled_ms) * self._allowance.per_ms
        self.level, self._filled_ms = min(self.capacity, grown), now_ms

    def wait_ms(self, need: float) -> float:
        return max(0.0, need - self.level) / self._allowance.per_ms


class MemoryBook:
    """See `Book`; the same rules as the script in `redis`, step by step."""

    def __init__(self, limits: Limits, *, clock_ms: Callable[[], int] = _monotonic_ms) -> None:
        self._limits = limits
        self._clock_ms = clock_ms
        self._holders: dict[str, _Holder] = {}
        now_ms = clock_ms()
        self._requests = _Bucket(limits.requests_per_minute, now_ms)
        self._tokens = _Bucket(limits.tokens_per_minute, now_ms)
        self._base: float = limits.concurrency
        self._grows_from_ms = now_ms
        self._cut_ms = now_ms - RULES.cut_pause
        self._pause_until_ms = now_ms
        self._pause_reason = PauseReason.NONE
        self._streak = 0

    async def exchange(self, order: Order) -> Grant:
        """Take note of what a process holds, and grant what it may start."""
        now_ms = self._clock_ms()
        self._forget_the_dead(now_ms)
        mine = self._holders[order.holder] = _Holder(
            order.queries,
            order.ingestion,
            len(order.query_tokens),
            len(order.ingestion_tokens),
            order.commits,
            now_ms,
        )
        if order.refusal is not None:
            self._refuse(order.refusal, now_ms)
        self._requests.fill(now_ms)
        self._tokens.fill(now_ms)
        self._tokens.level = min(self._tokens.level - order.correction, self._tokens.capacity)
        queries = ingestion = 0
        retry_ms = 0.0
        if now_ms >= self._pause_until_ms:
            room = self._room_for_queries(now_ms)
            queries, retry_ms = self._spend(order.query_tokens[:room], share=0.0)
            mine.queries += queries
            mine.queries_wanted -= queries
            room = self._room_for_ingestion(mine, now_ms)
            ingestion, later_ms = self._spend(
                order.ingestion_tokens[:room], share=self._limits.query_share
            )
            mine.ingestion += ingestion
            mine.ingestion_wanted -= ingestion
            mine.commits_wanted = max(0, mine.commits_wanted - ingestion)
            retry_ms = min(filter(None, (retry_ms, later_ms)), default=0.0)
        return self._grant(queries, ingestion, retry_ms, now_ms)

    async def close(self) -> None:
        """Close nothing: there is nothing open."""

    def _grant(self, queries: int, ingestion: int, retry_ms: float, now_ms: int) -> Grant:
        paused_ms = max(0, self._pause_until_ms - now_ms)
        return Grant(
            queries=queries,
            ingestion=ingestion,
            pause_s=paused_ms / 1000,
            pause_reason=self._pause_reason if paused_ms else PauseReason.NONE,
            retry_s=retry_ms / 1000,
            limit=self._limit(now_ms),
            holders=len(self._holders),
        )

    def _forget_the_dead(self, now_ms: int) -> None:
        for name, holder in list(self._holders.items()):
            age_ms = now_ms - holder.seen_ms
            if age_ms > RULES.want_ttl:
                holder.queries_wanted = holder.ingestion_wanted = holder.commits_wanted = 0
            if age_ms > RULES.holder_ttl or holder.is_idle:
                del self._holders[name]

    def _limit(self, now_ms: int) -> int:
        whole = self._limits.concurrency
        grown = max(0, now_ms - self._grows_from_ms) * whole / RULES.recovery
        return max(1, int(min(whole, self._base + grown)))

    def _refuse(self, refusal: Refusal, now_ms: int) -> None:
        asked_ms = 0 if refusal.pause_s is None else int(refusal.pause_s * 1000)
        if now_ms - self._pause_until_ms > RULES.recovery:
            self._streak = 0
        if refusal.reason is PauseReason.UNAUTHORIZED:
            asked_ms = RULES.unauthorized_pause
            self._base, self._cut_ms = 1, now_ms
        else:
            if now_ms - self._cut_ms >= RULES.cut_pause:
                self._base, self._cut_ms = max(1, self._limit(now_ms) // 2), now_ms
            # Calls that were under way when the pause began say nothing new.
            if refusal.pause_s is None and now_ms >= self._pause_until_ms:
                asked_ms = min(RULES.first_backoff << self._streak, RULES.longest_backoff)
                self._streak = min(self._streak + 1, 10)
        until_ms = now_ms + min(asked_ms, RULES.longest_pause)
        if until_ms > self._pause_until_ms:
            self._pause_until_ms, self._pause_reason = until_ms, refusal.reason
        self._grows_from_ms = max(now_ms, self._pause_until_ms) + RULES.cut_pause

    def _room_for_queries(self, now_ms: int) -> int:
        held = sum(holder.queries + holder.ingestion for holder in self._holders.values())
        return max(0, self._limit(now_ms) - held)

    def _room_for_ingestion(self, mine: _Holder, now_ms: int) -> int:
        limit = self._limit(now_ms)
        ours = limit - reserved(limit, self._limits.query_share)
        others = [holder for holder in self._holders.values() if holder is not mine]
        ingestion = mine.ingestion + sum(holder.ingestion for holder in others)
        queries = mine.queries + sum(holder.queries for holder in others)
        waiting_queries = mine.queries_wanted + sum(holder.queries_wanted for holder in others)
        free = min(ours - ingestion, limit - ingestion - queries - waiting_queries)
        contenders = 1 + sum(1 for one in others if one.ingestion or one.ingestion_wanted)
        fair = max(1, ours // contenders)
        # The commits of others go first; what else they may still take of their fair share is not
        # ours, however much we want.
        commits = sum(one.commits_wanted for one in others)
        claimed = sum(
            max(one.commits_wanted, min(one.ingestion_wanted, fair - one.ingestion))
            for one in others
        )
        rest = min(free - commits, max(free - claimed, fair - mine.ingestion))
        return max(0, rest, min(free, mine.commits_wanted))

    def _spend(self, estimates: Sequence[int], *, share: float) -> tuple[int, float]:
        """Start as many as the minute's rest allows; returns their number, and when to come again.

        `share` of each bucket is left for queries.
        """
        requests, tokens = self._requests, self._tokens
        for started, estimate in enumerate(estimates):
            wait_ms = 0.0
            if self._limits.requests_per_minute:
                need = min(requests.capacity, 1 + share * requests.capacity)
                wait_ms = max(wait_ms, requests.wait_ms(need))
            if self._limits.tokens_per_minute:
                # One that is larger than the bucket starts when the bucket is full.
                need = min(tokens.capacity, estimate + share * tokens.capacity)
                wait_ms = max(wait_ms, tokens.wait_ms(need))
            if wait_ms > 0:
                return started, wait_ms
            requests.level -= 1
            tokens.level -= estimate
        return len(estimates), 0.0

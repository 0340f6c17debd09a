"""What every book grants and refuses; no test depends on how fast the machine is."""

from collections.abc import Sequence

import pytest

from shared.rag.budget.base import Book, Grant, Limits, Order, PauseReason, Refusal
from shared.rag.budget.rules import RULES
from tests.contract.budget.conftest import Clock, OpenBook

LIMITED = PauseReason.RATE_LIMITED


class Process:
    """One process of the fleet: it holds what it is granted until it ends calls."""

    def __init__(self, book: Book, name: str) -> None:
        self.book = book
        self.name = name
        self.queries = self.ingestion = 0

    async def ask(
        self,
        *,
        queries: int = 0,
        ingestion: int = 0,
        commits: int = 0,
        tokens: int = 1,
        correction: int = 0,
        refusal: Refusal | None = None,
    ) -> Grant:
        order = Order(
            self.name,
            queries=self.queries,
            ingestion=self.ingestion,
            query_tokens=(tokens,) * queries,
            ingestion_tokens=(tokens,) * (commits + ingestion),
            commits=commits,
            correction=correction,
            refusal=refusal,
        )
        grant = await self.book.exchange(order)
        self.queries += grant.queries
        self.ingestion += grant.ingestion
        return grant

    def end(self, *, queries: int = 0, ingestion: int = 0) -> None:
        self.queries -= queries
        self.ingestion -= ingestion


def fleet(book: Book, names: str) -> Sequence[Process]:
    return [Process(book, name) for name in names]


async def test_calls_of_all_processes_together_stay_below_the_limit(open_book: OpenBook) -> None:
    one, other = fleet(open_book(Limits(10, query_share=0)), "ab")
    granted = [(await process.ask(ingestion=7)).ingestion for process in (one, other)]
    assert granted == [7, 3]
    assert (await other.ask(queries=5)).queries == 0
    one.end(ingestion=4)
    await one.ask()
    assert (await other.ask(ingestion=9)).ingestion == 4


async def test_ingestion_leaves_the_reserved_share_to_queries(open_book: OpenBook) -> None:
    ingesting, asking = fleet(open_book(Limits(10, query_share=0.2)), "ab")
    assert (await ingesting.ask(ingestion=20)).ingestion == 8
    assert (await asking.ask(queries=5)).queries == 2
    ingesting.end(ingestion=3)
    # Queries that wait go before ingestion that waits, wherever they are.
    assert (await ingesting.ask(ingestion=20)).ingestion == 0
    assert (await asking.ask(queries=3)).queries == 3


async def test_queries_may_use_everything(open_book: OpenBook) -> None:
    (process,) = fleet(open_book(Limits(10, query_share=0.2)), "a")
    assert (await process.ask(queries=20)).queries == 10


async def test_a_limit_of_one_serves_both(open_book: OpenBook) -> None:
    (process,) = fleet(open_book(Limits(1)), "a")
    assert (await process.ask(ingestion=2)).ingestion == 1
    process.end(ingestion=1)
    grant = await process.ask(queries=1, ingestion=1)
    assert (grant.queries, grant.ingestion) == (1, 0)


async def test_what_a_dead_process_held_is_free_again(open_book: OpenBook, clock: Clock) -> None:
    dead, living = fleet(open_book(Limits(4, query_share=0)), "ab")
    await dead.ask(ingestion=4)
    clock.pass_s(RULES.holder_ttl / 1000)
    assert (await living.ask(ingestion=4)).ingestion == 0
    clock.pass_s(0.001)
    assert (await living.ask(ingestion=4)).ingestion == 4


async def test_a_process_that_speaks_keeps_what_it_holds(open_book: OpenBook, clock: Clock) -> None:
    slow, other = fleet(open_book(Limits(4, query_share=0)), "ab")
    await slow.ask(ingestion=4)
    for _ in range(10):
        clock.pass_s(RULES.holder_ttl / 3000)
        await slow.ask()
        assert (await other.ask(ingestion=1)).ingestion == 0


async def test_a_grant_whose_answer_was_lost_is_put_right_by_the_next_order(
    open_book: OpenBook,
) -> None:
    one, other = fleet(open_book(Limits(4, query_share=0)), "ab")
    await one.ask(ingestion=4)
    one.end(ingestion=4)  # it never heard of them
    await one.ask()
    assert (await other.ask(ingestion=4)).ingestion == 4


async def test_what_a_commit_waits_for_goes_before_what_others_extract(
    open_book: OpenBook,
) -> None:
    extracting, another, committer = fleet(open_book(Limits(10, query_share=0.2)), "abc")
    assert (await extracting.ask(ingestion=50)).ingestion == 8
    assert (await committer.ask(commits=5, ingestion=5)).ingestion == 0
    extracting.end(ingestion=6)
    assert (await extracting.ask(ingestion=50)).ingestion == 1
    # Not even a process that has nothing at all goes before.
    assert (await another.ask(ingestion=50)).ingestion == 0
    assert (await committer.ask(commits=5, ingestion=5)).ingestion == 5
    assert (await another.ask(ingestion=50)).ingestion == 0


async def test_a_commit_leaves_the_reserved_share_to_queries(open_book: OpenBook) -> None:
    committer, asking = fleet(open_book(Limits(10, query_share=0.2)), "ab")
    assert (await committer.ask(commits=20)).ingestion == 8
    assert (await asking.ask(queries=5)).queries == 2


async def test_a_commit_that_waits_no_more_keeps_nobody_from_extracting(
    open_book: OpenBook, clock: Clock
) -> None:
    extracting, committer = fleet(open_book(Limits(4, query_share=0)), "ab")
    assert (await extracting.ask(ingestion=4)).ingestion == 4
    await committer.ask(commits=3)
    extracting.end(ingestion=3)
    assert (await extracting.ask(ingestion=9)).ingestion == 0
    clock.pass_s(RULES.want_ttl / 1000 + 0.001)
    assert (await extracting.ask(ingestion=9)).ingestion == 3


async def test_a_process_that_waits_gets_its_fair_share_from_those_that_hold_more(
    open_book: OpenBook,
) -> None:
    greedy, late, later = fleet(open_book(Limits(9, query_share=0)), "abc")
    assert (await greedy.ask(ingestion=50)).ingestion == 9
    for process in (late, later):
        assert (await process.ask(ingestion=50)).ingestion == 0
    for _ in range(9):  # each end is followed by an order for more, as under load
        greedy.end(ingestion=1)
        await greedy.ask(ingestion=50)
        await late.ask(ingestion=50)
        await later.ask(ingestion=50)
        if greedy.ingestion == 3:
            break
    assert [process.ingestion for process in (greedy, late, later)] == [3, 3, 3]


async def test_those_who_stopped_asking_reserve_nothing(open_book: OpenBook, clock: Clock) -> None:
    gone, other = fleet(open_book(Limits(4, query_share=0)), "ab")
    first = Process(gone.book, "c")
    await first.ask(ingestion=4)
    await gone.ask(ingestion=4)
    clock.pass_s(RULES.want_ttl / 1000 + 0.001)
    first.end(ingestion=4)
    await first.ask()
    assert (await other.ask(ingestion=4)).ingestion == 4


async def test_no_minute_sees_more_calls_than_allowed(open_book: OpenBook, clock: Clock) -> None:
    (process,) = fleet(open_book(Limits(1000, requests_per_minute=120, query_share=0)), "a")
    starts: list[int] = []
    for _ in range(3 * 60 * 4):
        grant = await process.ask(ingestion=30)
        starts += [clock.ms] * grant.ingestion
        process.end(ingestion=grant.ingestion)
        clock.pass_s(0.25)
    busiest = max(sum(t <= other < t + 60_000 for other in starts) for t in set(starts))
    assert busiest <= 120
    assert len(starts) >= 3 * 120 * 0.9


async def test_the_book_says_when_the_next_call_may_start(
    open_book: OpenBook, clock: Clock
) -> None:
    (process,) = fleet(open_book(Limits(10, requests_per_minute=6, query_share=0)), "a")
    assert (await process.ask(ingestion=2)).ingestion == 1
    grant = await process.ask(ingestion=1)
    assert (grant.ingestion, grant.retry_s) == (0, pytest.approx(10, abs=0.01))
    clock.pass_s(grant.retry_s + 0.001)
    assert (await process.ask(ingestion=1)).ingestion == 1


async def test_tokens_are_estimated_before_and_corrected_after(
    open_book: OpenBook, clock: Clock
) -> None:
    (process,) = fleet(open_book(Limits(100, tokens_per_minute=12_000, query_share=0)), "a")
    assert (await process.ask(ingestion=5, tokens=300)).ingestion == 3
    assert (await process.ask(ingestion=1, tokens=200, correction=100)).ingestion == 0
    assert (await process.ask(ingestion=1, tokens=200, correction=-200)).ingestion == 1
    # One that is larger than the bucket starts when the bucket is full.
    assert (await process.ask(ingestion=1, tokens=5000)).ingestion == 0
    clock.pass_s(10)
    assert (await process.ask(ingestion=1, tokens=5000)).ingestion == 1


async def test_a_part_of_the_minutes_allowance_is_left_to_queries(open_book: OpenBook) -> None:
    limits = Limits(100, requests_per_minute=120, tokens_per_minute=12_000, query_share=0.5)
    ingesting, asking = fleet(open_book(limits), "ab")
    assert (await ingesting.ask(ingestion=20, tokens=10)).ingestion == 5
    assert (await asking.ask(queries=20, tokens=10)).queries == 5


async def test_retry_after_keeps_everybody_away_until_then(
    open_book: OpenBook, clock: Clock
) -> None:
    refused, other = fleet(open_book(Limits(10)), "ab")
    await refused.ask(ingestion=1)
    refused.end(ingestion=1)
    await refused.ask(refusal=Refusal(LIMITED, 20))
    grant = await other.ask(queries=1, ingestion=1)
    assert (grant.queries, grant.ingestion) == (0, 0)
    assert (grant.pause_s, grant.pause_reason) == (20, LIMITED)
    clock.pass_s(20)
    grant = await other.ask(queries=1, ingestion=1)
    assert (grant.queries, grant.ingestion, grant.pause_s) == (1, 1, 0)


async def test_a_refusal_halves_the_limit_once_and_time_brings_it_back(
    open_book: OpenBook, clock: Clock
) -> None:
    one, other = fleet(open_book(Limits(32)), "ab")
    for process in (one, other, one, other):  # one burst of refusals
        grant = await process.ask(refusal=Refusal(LIMITED, 1))
        assert grant.limit == 16
        clock.pass_s(0.5)
    clock.pass_s(RULES.cut_pause / 1000)
    assert (await one.ask(refusal=Refusal(LIMITED, 0))).limit == 8
    clock.pass_s((RULES.cut_pause + RULES.recovery / 2) / 1000)
    assert (await one.ask()).limit == 24
    clock.pass_s(RULES.recovery / 2000)
    assert (await other.ask()).limit == 32


async def test_without_retry_after_pauses_grow_while_refusals_go_on(
    open_book: OpenBook, clock: Clock
) -> None:
    (process,) = fleet(open_book(Limits(4)), "a")
    pauses = []
    for _ in range(7):
        grant = await process.ask(refusal=Refusal(LIMITED))
        assert (await process.ask(refusal=Refusal(LIMITED))).pause_s == grant.pause_s
        pauses.append(grant.pause_s)
        clock.pass_s(grant.pause_s)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    clock.pass_s(RULES.recovery / 1000 + 0.001)
    assert (await process.ask(refusal=Refusal(LIMITED))).pause_s == 1


async def test_nobody_is_kept_away_for_a_day(open_book: OpenBook) -> None:
    (process,) = fleet(open_book(Limits(4)), "a")
    grant = await process.ask(refusal=Refusal(LIMITED, 86_400))
    assert grant.pause_s == RULES.longest_pause / 1000


async def test_after_a_refused_key_one_call_a_minute_tries_it_again(
    open_book: OpenBook, clock: Clock
) -> None:
    one, other = fleet(open_book(Limits(32)), "ab")
    grant = await one.ask(refusal=Refusal(PauseReason.UNAUTHORIZED))
    assert (grant.pause_s, grant.pause_reason) == (60, PauseReason.UNAUTHORIZED)
    clock.pass_s(60)
    assert (await one.ask(ingestion=9)).ingestion == 1
    assert (await other.ask(queries=9)).queries == 0

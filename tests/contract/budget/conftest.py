"""Both books, with a clock that stands still until a test moves it."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from shared.rag.budget.base import Book, Limits
from shared.rag.budget.gate import Gate
from shared.rag.budget.memory import MemoryBook
from shared.rag.budget.redis import RedisBook, open_redis
from tests.contract.budget.callers import Calls, Opened


class Clock:
    """Milliseconds, moved by hand; begins where real clocks are, for what overflows there."""

    def __init__(self) -> None:
        self.ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


OpenBook = Callable[[Limits], Book]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
def url_of_book(request: pytest.FixtureRequest) -> str:
    """Where the book is kept; nothing for memory."""
    if request.param == "memory":
        return ""
    url: str = request.getfixturevalue("valkey_url")
    return url


@pytest.fixture
async def open_book(url_of_book: str, clock: Clock) -> AsyncIterator[OpenBook]:
    async with AsyncExitStack() as stack:

        def open_one(limits: Limits) -> Book:
            if not url_of_book:
                return MemoryBook(limits, clock_ms=clock)
            redis = open_redis(url_of_book)
            book = RedisBook(redis, secrets.token_hex(8), limits, clock_ms=clock)
            stack.push_async_callback(book.close)
            return book

        yield open_one


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:

        def open_one(book: Book) -> Gate:
            gate = Gate(book)
            stack.push_async_callback(gate.close)
            return gate

        yield open_one


@pytest.fixture
def calls() -> Calls:
    return Calls()

"""Blocking steps of an object store, taken away from the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Every write is a trip to a thread: 1 MiB makes 200 of them for 200 MB and stays small in memory.
_BLOCK_BYTES = 1024 * 1024


async def run_to_its_end(
    executor: Executor | None,
    function: Callable[Arguments, Result],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Result:
    """Run a blocking step; on cancellation wait for it, since a thread cannot be stopped.

    Args:
        executor: whose threads; None: those that everything in this process shares.
        function: the step.
        args: its arguments.
        kwargs: same.
    """
    loop = asyncio.get_running_loop()
    step = loop.run_in_executor(executor, partial(function, *args, **kwargs))
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        await asyncio.wait([step])
        raise


async def given_by_threads(values: Iterator[Result]) -> AsyncIterator[Result]:
    """Give what an iterator gives that blocks; each step of it is taken in a thread."""
    end = object()
    while (value := await run_to_its_end(None, next, values, end)) is not end:
        yield cast("Result", value)


@asynccontextmanager
async def in_threads(manager: AbstractContextManager[Result]) -> AsyncIterator[Result]:
    """Enter and leave a context whose both ends block."""
    value = await run_to_its_end(None, manager.__enter__)
    try:
        yield value
    except BaseException as error:
        leaving = (type(error), error, error.__traceback__)
        if not await run_to_its_end(None, manager.__exit__, *leaving):
            raise
    else:
        await run_to_its_end(None, manager.__exit__, None, None, None)


async def in_blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Gather small chunks into blocks that are worth a trip to a thread."""
    block = bytearray()
    async for chunk in chunks:
        block += chunk
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)

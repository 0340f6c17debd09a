"""Telling people how far a stage came, seldom enough to cost nothing."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from shared.errors import UnavailableError

OnProgress = Callable[[int], Awaitable[None]]
"""Told how many chunks are done so far."""

# People look once a second; a fast model would otherwise cost a statement for every chunk.
_PAUSE_S = 1.0


async def untold(_chunks_done: int) -> None:
    """Nobody wants to know."""


def paced(report: OnProgress, *, chunks_total: int) -> OnProgress:
    """Pass on the first news and then some a second; the end is written down by the stage."""
    told_at_s = float("-inf")

    async def tell(chunks_done: int) -> None:
        nonlocal told_at_s
        if not 0 < chunks_done < chunks_total or monotonic() - told_at_s < _PAUSE_S:
            return
        told_at_s = monotonic()
        with suppress(UnavailableError):  # the work does not depend on being watched
            await report(chunks_done)

    return tell

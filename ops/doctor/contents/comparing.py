"""Finds what does not belong together, and looks twice where commits came in between.

Stores are read one after the other while the system runs, so a commit that comes meanwhile looks as
if half of it were missing. What is found is trusted when no commit was made from the first look
to the last; otherwise only what is found twice, the second time after the commits that were
under way at the first have ended. Nobody is kept from committing by that.
"""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import func, select

from ops.doctor.contents.inventory import Inventory, Item
from ops.doctor.contents.questions import QUESTIONS
from ops.doctor.contents.reading import Contents
from ops.doctor.ground import Ground
from shared.ids import PhysicalWorkspace
from shared.ledger.tables import journals

_POLL_S = 0.5
# A commit that is applied takes seconds; one that nobody applies stays for ever.
_PATIENCE_S = 30.0

Answers = dict[str, list[Item]]


@dataclass(frozen=True)
class Position:
    """How far the commits of a workspace are."""

    closed: int
    """The number of the last journal that is in all stores."""
    open: int | None
    """The number of the journal that is being applied."""


@dataclass(frozen=True)
class Compared:
    """What does not belong together, by the code of the question that found it."""

    answers: Answers
    half_applied: bool
    """Whether a journal is written and nobody seems to apply it: then less is wrong than found."""


async def compare(contents: Contents) -> Compared:
    """Look for everything that does not belong together."""
    physical = contents.workspace.physical
    before = await position_of(contents.ground, physical)
    answers = await _look(contents)
    after = await position_of(contents.ground, physical)
    if not any(answers.values()) or (before == after and after.open is None):
        return Compared(answers, half_applied=False)
    ended = await _until_ended(contents.ground, physical, after)
    again = await _look(contents)
    twice = {code: _both(found, again[code]) for code, found in answers.items()}
    return Compared(twice, half_applied=not ended)


def _both(first: list[Item], second: list[Item]) -> list[Item]:
    found = set(second)
    return [item for item in first if item in found]


async def _look(contents: Contents) -> Answers:
    with Inventory() as inventory:
        await contents.read(inventory)
        return await look(inventory)


async def look(inventory: Inventory) -> Answers:
    """Ask all questions of a finished inventory."""
    return await asyncio.to_thread(
        lambda: {one.code: list(inventory.ask(one.statement)) for one in QUESTIONS}
    )


async def position_of(ground: Ground, physical: PhysicalWorkspace) -> Position:
    """Look up how far the commits are."""
    mine = journals.c.physical == physical
    closed = select(func.coalesce(func.max(journals.c.seq), 0)).where(
        mine, journals.c.closed_at_ms.is_not(None)
    )
    unfinished = select(journals.c.seq).where(mine, journals.c.closed_at_ms.is_(None))
    async with ground.ledger.reading() as connection:
        return Position(
            closed=await connection.scalar(closed) or 0, open=await connection.scalar(unfinished)
        )


async def _until_ended(ground: Ground, physical: PhysicalWorkspace, seen: Position) -> bool:
    """Wait until the journal that was open is closed; False: nobody seems to apply it."""
    give_up_at_s = time.monotonic() + _PATIENCE_S
    while seen.open is not None and (await position_of(ground, physical)).open == seen.open:
        if time.monotonic() > give_up_at_s:
            return False
        await asyncio.sleep(_POLL_S)
    return True

"""Relations of a hub do not wait for one another's summaries."""

import asyncio

import pytest
from lightrag import LightRAG

from shared.errors import ModelRateLimitedError
from shared.ids import PhysicalWorkspace
from shared.rag.pool import RagPool
from tests.contract.lightrag.committing import merged, prepare
from tests.models import CountingModel
from worker.retry import app_error_behind

HUB = "Marie Curie"
FRIENDS = ["Ernest Solvay", "Lise Meitner", "Niels Bohr", "Pierre Curie"]
LETTERS = ["first letter", "second letter"]
RETRY_AFTER_S = 120.0
RELATIONS = {f"({', '.join(sorted([HUB, friend]))})" for friend in FRIENDS}


class Waiting(CountingModel):
    """Gives no summary of a relation before it was asked for those of all."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.all_asked = asyncio.Event()
        self.refused = asyncio.Event()
        self.under_way = 0
        self.limited: str | None = None
        """The relation whose summary is refused, while the others' are on their way."""

    async def complete(
        self, prompt: str, system_prompt: str | None = None, **options: object
    ) -> object:
        named = [name for name in RELATIONS if not system_prompt and name in prompt]
        if not named:
            return await super().complete(prompt, system_prompt, **options)
        self.asked += named
        self.under_way += 1
        if set(self.asked) >= RELATIONS:
            self.all_asked.set()
        try:
            await self.all_asked.wait()
            return await self._summary(limited=self.limited in named)
        finally:
            self.under_way -= 1

    async def _summary(self, *, limited: bool) -> str:
        if limited:
            self.refused.set()
            raise ModelRateLimitedError(retry_after_s=RETRY_AFTER_S)
        if self.limited is not None:
            await self.refused.wait()
            for _ in range(100):  # turns of the loop, in which those that give up do so
                await asyncio.sleep(0)
        return "They wrote letters."


@pytest.fixture
def model() -> CountingModel:
    waiting = Waiting()
    waiting.extraction_replies = {letter: _records(letter) for letter in LETTERS}
    return waiting


async def test_all_relations_of_a_hub_are_summarised_at_the_same_time_and_each_once(
    rags: RagPool, workspace: PhysicalWorkspace, model: Waiting
) -> None:
    async with rags.use(workspace) as rag:
        await _merge_letters(rag, model)
    assert sorted(model.asked) == sorted(RELATIONS)


@pytest.mark.parametrize("limited", sorted(RELATIONS))
async def test_a_rate_limit_at_one_of_them_fails_the_group_with_the_pause_it_asks_for(
    rags: RagPool, workspace: PhysicalWorkspace, model: Waiting, limited: str
) -> None:
    model.limited = limited
    async with rags.use(workspace) as rag:
        with pytest.raises(Exception, match="limits our rate") as caught:
            await _merge_letters(rag, model)
    cause = app_error_behind(caught.value)
    assert isinstance(cause, ModelRateLimitedError)
    assert cause.retry_after_s == RETRY_AFTER_S


async def _merge_letters(rag: LightRAG, model: Waiting) -> None:
    rag.force_llm_summary_on_merge = 2
    pieces = [
        await prepare(rag, letter.replace(" ", "-"), f"This is her {letter}.", task=letter)
        for letter in LETTERS
    ]
    try:
        async with asyncio.timeout(60):
            await merged(rag, *pieces)
    finally:
        model.all_asked.set()  # nobody waits for ever
        async with asyncio.timeout(60):
            # LightRAG's queue ends a call later than those who wanted it.
            while model.under_way:  # noqa: ASYNC110 - calls fire no events
                await asyncio.sleep(0)


def _records(letter: str) -> str:
    lines = [f"entity<|#|>{name}<|#|>person<|#|>{name} is named." for name in [HUB, *FRIENDS]]
    lines += [
        f"relation<|#|>{HUB}<|#|>{friend}<|#|>wrote to<|#|>{HUB} wrote {friend} the {letter}."
        for friend in FRIENDS
    ]
    return "\n".join([*lines, "<|COMPLETE|>"])

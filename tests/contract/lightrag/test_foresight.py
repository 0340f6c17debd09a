"""Relations of a hub do not wait for one another's summaries."""

import asyncio

import pytest

from shared.ids import PhysicalWorkspace
from shared.rag.pool import RagPool
from tests.contract.lightrag.committing import merged, prepare
from tests.models import CountingModel

HUB = "Marie Curie"
FRIENDS = ["Ernest Solvay", "Lise Meitner", "Niels Bohr", "Pierre Curie"]
LETTERS = ["first letter", "second letter"]
RELATIONS = {f"({', '.join(sorted([HUB, friend]))})" for friend in FRIENDS}


class Waiting(CountingModel):
    """Gives no summary of a relation before it was asked for those of all."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.all_asked = asyncio.Event()

    async def complete(
        self, prompt: str, system_prompt: str | None = None, **options: object
    ) -> object:
        named = [name for name in RELATIONS if not system_prompt and name in prompt]
        self.asked += named
        if set(self.asked) >= RELATIONS:
            self.all_asked.set()
        if named:
            await self.all_asked.wait()
        return await super().complete(prompt, system_prompt, **options)


@pytest.fixture
def model() -> CountingModel:
    waiting = Waiting()
    waiting.extraction_replies = {letter: _records(letter) for letter in LETTERS}
    return waiting


async def test_all_relations_of_a_hub_are_summarised_at_the_same_time_and_each_once(
    rags: RagPool, workspace: PhysicalWorkspace, model: Waiting
) -> None:
    async with rags.use(workspace) as rag:
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
    assert sorted(model.asked) == sorted(RELATIONS)


def _records(letter: str) -> str:
    lines = [f"entity<|#|>{name}<|#|>person<|#|>{name} is named." for name in [HUB, *FRIENDS]]
    lines += [
        f"relation<|#|>{HUB}<|#|>{friend}<|#|>wrote to<|#|>{HUB} wrote {friend} the {letter}."
        for friend in FRIENDS
    ]
    return "\n".join([*lines, "<|COMPLETE|>"])

"""What nobody wants any more stops within seconds, at the model too."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared.contract.names import TaskName
from shared.contract.payloads import PrepareDocument
from shared.ledger.records import TaskState
from tests.integration.worker.fleet import LARGE, Fleet
from worker.parsing import ParsedDocument, ParserPool

# The promise to people; the tests wait for events and only check that they came in time.
PROMISED_S = 5.0

sys.path.insert(0, str(Path(__file__).parents[1] / "parsing"))


class HangingParser(ParserPool):
    """Real children, every one of which loops in a parser for ever."""

    async def parse(self, path: Path, *, file_name: str) -> ParsedDocument:
        import hostile  # noqa: PLC0415 - the children import it under this name

        return await self.run(hostile.loop_for_ever, path, file_name)


async def test_a_cancelled_parse_stops(fleet: Fleet) -> None:
    parsers = HangingParser(workers=1, timeout_s=60, memory_bytes=1536 * 1024 * 1024)
    hanging = replace(fleet, context=replace(fleet.context, parsers=parsers))
    task = await hanging.upload()
    working = asyncio.create_task(hanging.handle(PrepareDocument(task_id=task.id)))
    await fleet.until(lambda now: now.state is TaskState.PREPARING, task)
    try:
        await fleet.context.ledger.tasks.request_cancel(task.id)
        async with asyncio.timeout(PROMISED_S):
            await working
        assert await fleet.state(task) is TaskState.CANCELLED
    finally:
        await asyncio.to_thread(parsers.close)


async def test_a_cancelled_extraction_stops_calling_the_model(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE[:400])
    fleet.model.open.clear()
    working = asyncio.create_task(fleet.deliver())
    await fleet.model.called.wait()
    await fleet.context.ledger.tasks.request_cancel(task.id)
    async with asyncio.timeout(PROMISED_S):
        await working
    assert await fleet.state(task) is TaskState.CANCELLED
    await _expect_no_further_call(fleet)


async def test_a_cancelled_batch_stops_calling_the_model(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.model.open.clear()
    working = asyncio.create_task(fleet.deliver())
    await fleet.model.called.wait()
    await fleet.context.ledger.tasks.request_cancel(task.id)
    assert await fleet.state(task) is TaskState.CANCELLED
    async with asyncio.timeout(PROMISED_S):
        await working
    await _expect_no_further_call(fleet)


async def _expect_no_further_call(fleet: Fleet) -> None:
    calls = fleet.model.extractions
    fleet.model.open.set()
    ours = [task for task in asyncio.all_tasks() if "extract_entities" in repr(task.get_coro())]
    assert ours == []
    assert fleet.model.extractions == calls


@pytest.mark.parametrize("text", [LARGE[:400], LARGE], ids=["in place", "in batches"])
async def test_a_newer_revision_stops_the_older_one(fleet: Fleet, text: str) -> None:
    old = await fleet.upload(text=text)
    fleet.model.open.clear()
    working = asyncio.create_task(fleet.deliver())
    await fleet.model.called.wait()
    new = await fleet.upload(text="Marie Curie met Pierre Curie in Paris. ")
    fleet.lose_messages()
    async with asyncio.timeout(PROMISED_S):
        await working
    fleet.model.open.set()
    await fleet.run_until_quiet()
    assert await fleet.state(old) is TaskState.SUPERSEDED
    assert await fleet.state(new) is TaskState.SUCCEEDED
    assert "Niels Bohr" not in (await fleet.stored())["nodes"]

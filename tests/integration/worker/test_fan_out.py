"""A large document spreads over all extract workers; the committer takes no part in it."""

import asyncio

import pytest

from shared.contract.names import QueueName
from shared.ledger.records import Task, TaskState
from tests.integration.worker.processes import POLL_S, Stack

CHUNKS = 200
EXTRACTORS = ("first", "second")
BOOK = "".join(
    f"Captain Smith{number} sailed from Oslo to Bergen with Doctor Jones{number}. "
    for number in range(800)
)


async def until_extracted(stack: Stack, task: Task) -> set[int]:
    """Watch the task until it leaves extraction; answers how many chunks it showed as done."""
    shown = set()
    async with asyncio.timeout(120):
        while (now := await stack.ledger.tasks.get(task.id)).state in {
            TaskState.QUEUED,
            TaskState.PREPARING,
            TaskState.EXTRACTING,
        }:
            shown.add(now.chunks_done)
            await asyncio.sleep(POLL_S)
    return shown


@pytest.mark.long
@pytest.mark.timeout(240)  # three processes start on what may be a busy machine
async def test_two_extract_workers_share_a_book_and_the_committer_extracts_nothing(
    stack: Stack,
) -> None:
    stack.models.latency_s = 0.5
    # Each of the two can have half of the fleet's calls open, and no more batches than that. The
    # book takes each of them a dozen rounds: who begins one round later makes few calls less.
    limits = {"LLM_MAX_CONCURRENCY": "32", "WORKER_THREADS": "16"}
    small_chunks = {"CHUNK_SIZE": "50", "CHUNK_OVERLAP_SIZE": "0"}
    await asyncio.gather(
        stack.worker(QueueName.COMMIT, LLM_API_KEY="committer"),
        *(
            stack.worker(
                QueueName.PREPARE, QueueName.EXTRACT, LLM_API_KEY=name, **small_chunks, **limits
            )
            for name in EXTRACTORS
        ),
    )
    task = await stack.upload("book", BOOK)
    shown = await until_extracted(stack, task)
    now = await stack.ledger.tasks.get(task.id)
    assert now.error_code is None
    assert now.chunks_total is not None
    assert now.chunks_done == now.chunks_total >= CHUNKS
    assert len(shown) > 3
    calls = stack.models.extractions
    assert set(calls) == set(EXTRACTORS)
    assert min(calls.values()) >= 0.4 * calls.total()

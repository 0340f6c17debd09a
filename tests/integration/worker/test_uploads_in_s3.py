"""The stages over uploads in a bucket: a document waits while S3 is away, and goes on by itself."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.ledger.records import TaskState
from shared.objects.s3.store import S3ObjectStore
from tests.integration.worker.fleet import LARGE, Fleet
from tests.s3_server import S3Server, give_credentials, new_bucket, running_s3


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    give_credentials(monkeypatch)
    with running_s3() as running:
        yield running


async def test_a_document_waits_for_a_bucket_that_is_away(fleet: Fleet, server: S3Server) -> None:
    objects = S3ObjectStore(new_bucket(server), "objects")
    fleet = replace(fleet, objects=objects, context=replace(fleet.context, objects=objects))
    task = await fleet.upload(text=LARGE)
    server.stop()
    try:
        await fleet.deliver()
        waiting = await fleet.task(task)
        assert (waiting.state, waiting.error_code) == (
            TaskState.QUEUED,
            "object_store_unavailable",
        )
        assert waiting.strikes == 0  # an outage is nobody's fault
    finally:
        server.start()
    await fleet.run_until_quiet()
    assert await fleet.state(task) is TaskState.SUCCEEDED

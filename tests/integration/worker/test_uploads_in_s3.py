"""The stages over uploads in a bucket: a document waits while S3 is away, and goes on by itself."""

from dataclasses import replace

from shared.ledger.records import TaskState
from shared.objects.s3.store import S3ObjectStore
from shared.settings_s3 import S3Settings
from tests.integration.worker.fleet import LARGE, Fleet
from tests.s3_server import S3Server


async def test_a_document_waits_for_a_bucket_that_is_away(
    fleet: Fleet, s3_server: S3Server, s3: S3Settings
) -> None:
    objects = S3ObjectStore(s3, "objects")
    fleet = replace(fleet, objects=objects, context=replace(fleet.context, objects=objects))
    task = await fleet.upload(text=LARGE)
    s3_server.stop()
    try:
        await fleet.deliver()
        waiting = await fleet.task(task)
        assert (waiting.state, waiting.error_code) == (
            TaskState.QUEUED,
            "object_store_unavailable",
        )
        assert waiting.strikes == 0  # an outage is nobody's fault
    finally:
        s3_server.start()
    await fleet.run_until_quiet()
    assert await fleet.state(task) is TaskState.SUCCEEDED

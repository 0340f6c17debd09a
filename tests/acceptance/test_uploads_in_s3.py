"""A whole system that keeps its uploads in a bucket, and meets an S3 that goes away."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from shared.settings_s3 import S3Settings
from tests.acceptance.system import System, Workspace, until
from tests.s3_server import S3Server

pytestmark = pytest.mark.long

FOLDERS = {"embedded": "team/embedded/objects/", "files": "team/files_mode_objects/"}


@pytest.fixture(params=["embedded", "files"])
def workspace(
    request: pytest.FixtureRequest, s3: S3Settings, servers_folder: Path
) -> Iterator[Workspace]:
    variables = {
        "OBJECT_STORE": "s3",
        "S3_BUCKET": s3.bucket,
        "S3_PREFIX": "team",
        "S3_REGION": s3.region,
        "S3_ENDPOINT_URL": s3.endpoint_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    system = System(request.param, servers_folder / f"s3-{request.param}", variables)
    system.up()
    try:
        with httpx.Client(base_url=system.url, timeout=60) as client:
            yield Workspace(system, "default", client)
    finally:
        system.down()


def keys_in(s3: S3Settings) -> list[str]:
    client = boto3.client("s3", region_name=s3.region, endpoint_url=s3.endpoint_url)
    found = client.list_objects_v2(Bucket=s3.bucket)
    return [listed["Key"] for listed in found.get("Contents", ())]


def test_documents_go_by_way_of_the_bucket_and_wait_while_it_is_away(
    s3_server: S3Server, s3: S3Settings, workspace: Workspace
) -> None:
    first = workspace.insert("Neil Armstrong commanded Apollo 11.")
    until(lambda: workspace.task(first["task_id"])["state"] == "succeeded", what="the commit")
    [key] = keys_in(s3)
    assert key.startswith(FOLDERS[workspace.system.shape])
    assert not list(workspace.system.data_dir.rglob("uploads"))

    s3_server.stop()
    try:
        refused = workspace.http.post("/insert", files={"file": ("a.txt", b"Nobody reads this.")})
        assert (refused.status_code, refused.json()["code"]) == (
            503,
            "object_store_unavailable",
        )
        ready = workspace.http.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["stores"]["uploads"]["ok"] is False
    finally:
        s3_server.start()

    until(lambda: workspace.http.get("/readyz").status_code == 200, what="readiness")
    second = workspace.insert("Ann Lee met Bob Smith in Oslo.")
    until(lambda: workspace.task(second["task_id"])["state"] == "succeeded", what="the commit")
    assert len(keys_in(s3)) == 2

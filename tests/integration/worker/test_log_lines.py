"""The lines of a whole fleet at level debug: one form, their ids, no secret."""

import os
import signal
import subprocess
import sys
from urllib.parse import quote

from tests.integration.worker.fleet import LARGE
from tests.integration.worker.observed import api_of, end, lines_of
from tests.integration.worker.processes import PROJECT, Stack, Worker
from tests.model_server import KEY

CANARY = "Quetzalcoatlus"
API_KEY = "the-key/of the@api"
STAGE_FIELDS = {"task_id", "document_id", "workspace", "stage", "request_id"}


async def test_a_documents_way_is_told_in_json_with_its_ids_and_without_a_secret(
    stack: Stack,
) -> None:
    variables = {
        "LOG_LEVEL": "debug",
        "API_KEY": API_KEY,
        "CHUNK_SIZE": "50",
        "CHUNK_OVERLAP_SIZE": "5",
        "EXTRACT_BATCH_CHUNKS": "4",
    }
    worker = await stack.worker(**variables)
    async with api_of(stack, **variables) as api:
        api.client.headers.update({"X-API-Key": API_KEY, "X-Request-ID": "request-7"})
        accepted = await api.client.post(
            "/insert",
            files={"file": ("a.txt", f"{CANARY} met Ann Lee. {LARGE}".encode())},
            data={"doc_id": "doc"},
        )
        assert accepted.headers["x-request-id"] == "request-7"
        await api.succeeded(accepted.json())
        api.client.headers["X-Request-ID"] = "request-8"
        await api.client.post("/query", json={"query": f"Who met {CANARY}?", "mode": "mix"})
        await end(api, worker)
    said_by_api, said_by_worker = lines_of(api.log), lines_of(worker.log)
    upload = [line for line in said_by_api if line.get("request_id") == "request-7"]
    assert {"upload_accepted", "request"} <= {line["event"] for line in upload}
    stages = [line for line in said_by_worker if line.get("request_id") == "request-7"]
    told = {line["event"]: line for line in stages}
    assert set(told) >= {"document_prepared", "batch_extracted", "task_committed"}
    for line in stages:
        assert set(line) >= STAGE_FIELDS, line
        assert (line["document_id"], line["workspace"]) == ("doc", "default")
    assert told["document_prepared"]["stage"] == "prepare"
    assert told["batch_extracted"]["stage"] == "extract"
    assert told["task_committed"]["stage"] == "commit"
    # Whatever is said in a stage says of which one it is.
    for line in said_by_worker:
        assert "stage" in line or not line["logger"].startswith("worker.commit"), line
    written = api.log.read_text() + worker.log.read_text()
    for secret in (KEY, API_KEY, *stack.settings.secrets()):
        assert secret not in written, secret
        assert quote(secret, safe="") not in written, secret
    assert CANARY not in written
    assert "Einstein" not in written


async def test_a_store_that_does_not_let_us_in_is_told_without_the_password_it_was_tried_with(
    stack: Stack,
) -> None:
    wrong = "wrong-pass/word"
    variables = {"LOG_LEVEL": "debug", "REDIS_PASSWORD": wrong}
    async with api_of(stack, **variables) as api:
        await api.client.post("/insert", files={"file": ("a.txt", b"text")})
        await api.client.post("/query", json={"query": "what", "mode": "mix"})
        assert (await api.client.get("/readyz")).status_code == 503
        await end(api)
    written = api.log.read_text()
    assert lines_of(api.log)
    assert wrong not in written
    assert quote(wrong, safe="") not in written


async def test_beat_speaks_json_too_and_keeps_the_brokers_password(stack: Stack) -> None:
    log = stack.folder / "beat.log"
    environment = {**os.environ, **stack.variables, "LOG_LEVEL": "debug"}  # noqa: TID251 - a child inherits PATH
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", "worker.beat"],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    beat = Worker(process, log)
    try:
        await beat.says("Scheduler: Sending due task sweep")
        beat.signal(signal.SIGTERM)
        await beat.ended_within(60)
    finally:
        process.kill()
    assert {line["level"] for line in lines_of(log)} >= {"info", "debug"}
    for secret in stack.settings.secrets():
        assert secret not in log.read_text()

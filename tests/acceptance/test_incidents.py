"""docs/operations/incidents.md, as the one who has to look at it sees it."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.system import System, Workspace, processes_of, until

pytestmark = pytest.mark.long
GOOD = "Inspector Ames found the lost letter in Bly Hall."
QUESTION = {"query": "Who found the letter?", "mode": "mix"}


@contextmanager
def standing_still(system: System, service: str) -> Iterator[None]:
    """Let a process of the system take part in nothing, as one does on a dead host."""
    pid = system.pids()[service]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def waiting(http: httpx.Client) -> float:
    lines = http.get("/metrics").raise_for_status().text.splitlines()
    found = [float(line.split()[-1]) for line in lines if 'ragfleet_tasks{state="queued"}' in line]
    return sum(found)


@pytest.mark.parametrize("system", ["embedded"], indirect=True)
def test_a_queue_without_workers_grows_and_is_emptied_by_those_that_come(
    system: System, workspace: Workspace, http: httpx.Client
) -> None:
    with standing_still(system, "worker"):
        receipts = [workspace.insert(f"{number}: {GOOD}") for number in range(3)]
        until(lambda: waiting(http) >= len(receipts), what="the queue is seen")
        assert http.get("/readyz").json()["status"] == "ready"
    for receipt in receipts:
        workspace.succeeded(receipt)


@pytest.mark.parametrize("system", ["embedded"], indirect=True)
def test_with_redis_away_uploads_are_kept_and_questions_are_told(
    system: System, workspace: Workspace, http: httpx.Client
) -> None:
    workspace.read(GOOD)
    with standing_still(system, "valkey"):
        ready = http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert not ready.json()["stores"]["key_value"]["ok"]
        receipt = workspace.insert("Sir Bly hid the letter.")
        asked = workspace.http.post("/query", json=QUESTION)
        assert (asked.status_code, asked.json()["code"]) == (503, "store_unavailable")
    workspace.succeeded(receipt)
    assert http.get("/readyz").json()["status"] == "ready"
    assert workspace.ask(QUESTION["query"])["references"]


@pytest.mark.parametrize("system", ["embedded"], indirect=True)
def test_a_poison_document_fails_by_itself(workspace: Workspace) -> None:
    poison = workspace.insert(b"%PDF-1.4 broken", file_name="poison.pdf", doc_id="poison")
    good = workspace.insert(GOOD)

    workspace.succeeded(good)
    failed = workspace.ended(poison)
    assert (failed["state"], failed["error"]["code"]) == ("failed", "damaged_document")
    workspace.read(GOOD, doc_id="poison", file_name="saved-anew.txt")


def test_a_leaked_key_is_worth_nothing_after_a_start_with_another_one(open_folder: Path) -> None:
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    folder = open_folder / "system"
    before = System("embedded", folder, variables={"API_KEY": old})
    before.up()
    before.down()
    after = System("embedded", folder, variables={"API_KEY": new})
    after.up()
    try:
        answers = {
            key: httpx.get(f"{after.url}/documents", headers={"X-API-Key": key}).status_code
            for key in (old, new)
        }
    finally:
        after.down()
    assert answers == {old: 401, new: 200}
    assert processes_of(folder) == {}

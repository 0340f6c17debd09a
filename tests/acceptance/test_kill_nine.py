"""Twenty kill -9 during an ingest: all that was accepted ends once, in the graph it should."""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ops.local.guard import children_of
from tests.acceptance.graphs import Graph, read_graph, table_rows
from tests.acceptance.kill_nine_documents import DELETED, REPLACEMENT, Upload, uploads
from tests.acceptance.system import FINAL_STATES, Json, System, Workspace, processes_of, until
from tests.services import run

SEED = 20_261_123
VICTIMS = ["api", "worker", "beat", "valkey", "postgres", "supervisor"]
KILLS = 20
PAUSES_S = (1.0, 4.0)
# An outage of one process is seconds; that of all, with a cold start, a minute when it is busy.
OUTAGE_S = 180.0
ALL_ENDED_S = 600.0
VARIABLES = {
    "TASK_LEASE_S": "6",
    "SWEEP_INTERVAL_S": "1",
    "CHUNK_SIZE": "100",  # many chunks of little text: embedding is what takes time
    "CHUNK_OVERLAP_SIZE": "10",
    "EXTRACT_BATCH_CHUNKS": "4",
}
UNDISTURBED = "undisturbed"
# LightRAG lets a model summarise so many descriptions, in the order in which they were extracted.
SUMMARISED = 8
Sent = list[Future[Json]]


@pytest.fixture
def fleet(open_folder: Path) -> Iterator[System]:
    system = System("embedded", open_folder / "system", variables=VARIABLES)
    system.up()
    yield system
    system.down()


@contextmanager
def client(system: System, workspace: str) -> Iterator[Workspace]:
    headers = {"LIGHTRAG-WORKSPACE": workspace}
    with httpx.Client(base_url=system.url, headers=headers, timeout=30) as http:
        yield Workspace(system, workspace, http)


def persistently(workspace: Workspace, method: str, path: str, **request: object) -> Json:
    """Call until it is accepted; nothing but 503 may be said while processes die."""

    def call() -> Json | None:
        try:
            answer = workspace.http.request(method, path, **request)  # type: ignore[arg-type]  # httpx's own
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            assert "Retry-After" in answer.headers
            return None
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    return dict(until(call, timeout_s=OUTAGE_S, what=f"{method} {path} is accepted"))


def send(workspace: Workspace, upload: Upload, *, key: str) -> Json:
    return persistently(
        workspace,
        "POST",
        "/insert",
        files={"file": (f"{upload.doc_id}.txt", upload.text.encode())},
        data={"doc_id": upload.doc_id},
        headers={"Idempotency-Key": key},
    )


def delete(workspace: Workspace, upload: Upload) -> Json:
    """Delete once more when the answer got lost; done already is done."""
    path = f"/documents/{upload.doc_id}"

    def call() -> Json | None:
        try:
            answer = workspace.http.delete(path)
        except httpx.TransportError:
            return None
        assert answer.status_code in {202, 404, 503}, answer.text
        return {"status": answer.status_code} if answer.status_code != 503 else None

    return dict(until(call, timeout_s=OUTAGE_S, what="the delete is accepted"))


def kill(system: System, victim: str) -> None:
    """Kill one process as soon as it lives; what should come back by itself is not waited for."""
    pid = until(lambda: system.pids().get(victim), timeout_s=OUTAGE_S, what=f"{victim} lives again")
    os.kill(pid, signal.SIGKILL)
    if victim == "supervisor":
        until(lambda: "supervisor" not in system.pids(), what="the supervisor is dead")
        system.up()


def killed_in_order(chance: random.Random) -> list[str]:
    order = VICTIMS * 2 + chance.choices(VICTIMS, k=KILLS - 2 * len(VICTIMS))
    chance.shuffle(order)
    return order


def kill_while_sending(system: System, workspace: Workspace) -> Sent:
    """Kill away while one thread keeps sending, a few documents for every kill."""
    chance = random.Random(SEED)  # noqa: S311 - the same kills each time, not a secret
    order = killed_in_order(chance)
    print(f"seed {SEED}: {' '.join(order)}", file=sys.stderr)  # noqa: T201 - to repeat it
    first, waiting = uploads()[:2], uploads()[2:]
    sent: Sent = []
    with ThreadPoolExecutor(1) as sender:
        sent += [sender.submit(send, workspace, upload, key=upload.doc_id) for upload in first]
        for one in sent:  # in the graph, so that there is something to replace and to delete
            workspace.succeeded(one.result())
        for number, victim in enumerate(order):
            for upload in [waiting.pop(0) for _ in range(min(2, len(waiting)))]:
                sent.append(sender.submit(send, workspace, upload, key=upload.doc_id))
            if number == KILLS // 2:
                sent.append(sender.submit(send, workspace, REPLACEMENT, key="replacement"))
                sent.append(sender.submit(delete, workspace, DELETED))
            time.sleep(chance.uniform(*PAUSES_S))  # the kills' own rhythm, nothing to wait for
            kill(system, victim)
    assert waiting == []
    return sent


def all_tasks(workspace: Workspace) -> list[Json]:
    return list(persistently(workspace, "GET", "/tasks?limit=100")["tasks"])


def ended_tasks(workspace: Workspace) -> list[Json] | None:
    tasks = all_tasks(workspace)
    return tasks if all(task["state"] in FINAL_STATES for task in tasks) else None


def assert_each_ended_once(tasks: list[Json], sent: list[Json]) -> None:
    accepted = {receipt["task_id"] for receipt in sent if "task_id" in receipt}
    inserts = {task["id"]: task for task in tasks if task["kind"] == "insert"}
    assert set(inserts) == accepted
    assert len(accepted) == len(uploads()) + 1
    deletes = [task for task in tasks if task["kind"] == "delete"]
    assert [(task["doc_id"], task["state"]) for task in deletes] == [("deleted", "succeeded")]
    unfinished = [task for task in inserts.values() if task["state"] != "succeeded"]
    assert unfinished == []


def assert_only_ours_run(system: System) -> None:
    def family(pid: int) -> set[int]:
        return {pid}.union(*(family(child) for child in children_of(pid)))

    everybody = family(system.pids()["supervisor"])
    strays = {
        pid: line for pid, line in processes_of(system.data_dir).items() if pid not in everybody
    }
    assert strays == {}


def differences(one: Graph, other: Graph) -> list[str]:
    """What only one graph says, a line each."""
    mine, yours = statements(one), statements(other)
    return sorted(
        [f"only here: {fact}" for fact in mine - yours]
        + [f"only there: {fact}" for fact in yours - mine]
    )


def statements(graph: Graph) -> set[str]:
    """All that does not depend on the order in which documents and chunks came."""
    found = set()
    for name, properties in [*graph.entities.items(), *graph.relations.items()]:
        # Of two types that are named equally often the first wins.
        dependent = {"entity_type"}
        if len(properties["source_id"]) >= SUMMARISED:
            dependent.add("description")
        found |= {f"{name} {each}: {properties[each]}" for each in {*properties} - dependent}
    return found


async def indexed(system: System, workspace: str) -> dict[str, Counter[str]]:
    """What the vectors of a workspace stand for, each as often as it is there."""
    ends = "least(source_id, target_id) || '-' || greatest(source_id, target_id)"
    names = {
        "lightrag_vdb_entity_multilingual_e5_small_384d": "entity_name",
        "lightrag_vdb_relation_multilingual_e5_small_384d": ends,
        "lightrag_vdb_chunks_multilingual_e5_small_384d": "id",
        "lightrag_doc_status": "id || ' ' || status",
    }
    found = {}
    for table, name in names.items():
        query = f"SELECT {name} AS name FROM {table} WHERE workspace = '{workspace}'"  # noqa: S608 - all of it stands here
        found[table] = Counter(row["name"] for row in await table_rows(system.data_dir, query))
    return found


def read_undisturbed(system: System) -> None:
    """The documents that should be there in the end, one after the other."""
    with client(system, UNDISTURBED) as workspace:
        persistently(workspace, "POST", "/workspaces", json={"name": UNDISTURBED})
        last = {upload.doc_id: upload for upload in [*uploads(), REPLACEMENT]}
        del last["deleted"]
        receipts = [send(workspace, upload, key=doc_id) for doc_id, upload in last.items()]
        for receipt in receipts:
            workspace.succeeded(receipt)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_twenty_kills_lose_nothing_and_repeat_nothing(fleet: System) -> None:
    with client(fleet, "default") as workspace:
        sent = [one.result() for one in kill_while_sending(fleet, workspace)]
        killed_at_s = time.monotonic()
        tasks = until(lambda: ended_tasks(workspace), timeout_s=ALL_ENDED_S, what="every task ends")
        print(f"all ended {time.monotonic() - killed_at_s:.0f} s later", file=sys.stderr)  # noqa: T201
    assert_each_ended_once(tasks, sent)
    assert_only_ours_run(fleet)
    assert run(table_rows(fleet.data_dir, "SELECT * FROM batches")) == []
    read_undisturbed(fleet)
    disturbed, undisturbed = (read_graph(fleet, name) for name in ("default", UNDISTURBED))
    assert len(undisturbed.entities) > 40
    assert differences(disturbed, undisturbed) == []
    assert run(indexed(fleet, "default")) == run(indexed(fleet, UNDISTURBED))

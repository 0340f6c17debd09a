"""What happens to documents, as their user sees it, in both shapes of one machine."""

import json
import time

import httpx
import pytest

from tests.acceptance.graphs import read_graph
from tests.acceptance.system import Workspace
from tests.unit.parsing import hand_built

ENGLISH = (
    "Ada Lovelace worked with Charles Babbage in London. "
    "Charles Babbage designed the Analytical Engine."
)
CHINESE = "诸葛亮辅佐刘备建立蜀汉。刘备与关羽、张飞在桃园结义。"
OTHER = "Marie Curie discovered radium in Paris. Pierre Curie worked with Marie Curie."
# Committing it takes seconds, however fast the machine: each sentence brings new names to embed.
LONG = "\n\n".join(
    f"{first} {last} met {last} {first} in Port {first}."
    for first in ("Alma", "Boris", "Clara", "Dmitri", "Elena", "Fjodor", "Greta", "Hugo")
    for last in ("Abbott", "Becker", "Carson", "Dalton", "Egan", "Foster", "Garner", "Holt")
)
QUESTIONS = [
    ("Who designed the Analytical Engine?", "ada.txt"),
    ("谁与刘备在桃园结义？", "三国.txt"),
]
CANCELLED_WITHIN_S = 5


def test_answers_cite_the_documents_that_went_in(workspace: Workspace) -> None:
    receipts = [
        workspace.insert(ENGLISH, file_name="ada.txt"),
        workspace.insert(CHINESE, file_name="三国.txt"),
    ]
    for receipt in receipts:
        task = workspace.succeeded(receipt)
        assert task["chunks"] == {"done": 1, "total": 1}
        assert task["finished_at"] >= task["started_at"] >= task["created_at"]
    for question, file_name in QUESTIONS:
        for mode in ("naive", "mix"):
            assert workspace.cited(question, mode) == [file_name]


def test_same_bytes_under_the_same_doc_id_are_the_same_task(workspace: Workspace) -> None:
    first = workspace.read(ENGLISH, doc_id="ada")
    done = workspace.task(first["task_id"])
    assert workspace.insert(ENGLISH, doc_id="ada") == first
    assert workspace.task(first["task_id"]) == done


def test_new_bytes_replace_the_old_ones(workspace: Workspace) -> None:
    first = workspace.read(ENGLISH, doc_id="note", file_name="ada.txt")
    assert "Charles Babbage" in read_graph(workspace.system, workspace.name).entities
    second = workspace.read(OTHER, doc_id="note", file_name="curie.txt")
    assert second["task_id"] != first["task_id"]
    assert second["doc_id"] == "note"
    [document] = workspace.documents()
    assert (document["file_name"], document["committed_revision"]) == ("curie.txt", 2)
    entities = read_graph(workspace.system, workspace.name).entities
    assert "Marie Curie" in entities
    assert not {"Charles Babbage", "Ada Lovelace", "London", "Analytical Engine"} & set(entities)
    for mode in ("naive", "mix"):
        answer = workspace.ask("Who designed the Analytical Engine?", mode)
        assert "ada.txt" not in [one["file_path"] for one in answer["references"]]
        assert "Babbage" not in answer["response"]
        assert workspace.cited("Who discovered radium?", mode) == ["curie.txt"]


def test_the_same_bytes_and_the_same_file_name_can_be_two_documents(workspace: Workspace) -> None:
    receipts = [
        workspace.insert(ENGLISH, doc_id="one", file_name="a.txt"),
        workspace.insert(ENGLISH, doc_id="two", file_name="b.txt"),
        workspace.insert(OTHER, doc_id="three", file_name="b.txt"),
        workspace.insert(OTHER),  # without a doc_id one is made
    ]
    for receipt in receipts:
        workspace.succeeded(receipt)
    assert len({receipt["doc_id"] for receipt in receipts}) == 4
    assert len(workspace.documents()) == 4
    workspace.delete("one")
    workspace.delete("three")
    # What is left still answers, also through entities that it shared with what is gone.
    assert workspace.cited("Who designed the Analytical Engine?") == ["b.txt"]
    babbage = read_graph(workspace.system, workspace.name).entities["Charles Babbage"]
    assert babbage["file_path"] == ["b.txt"]


def test_a_deleted_document_is_gone_and_can_come_again(workspace: Workspace) -> None:
    first = workspace.read(ENGLISH, doc_id="ada", file_name="ada.txt")
    workspace.delete("ada")
    assert workspace.http.get("/documents/ada").json()["code"] == "document_not_found"
    assert workspace.http.delete("/documents/ada").status_code == 404
    assert workspace.documents() == []
    graph = read_graph(workspace.system, workspace.name)
    assert (graph.entities, graph.relations) == ({}, {})
    for mode in ("naive", "mix"):
        assert workspace.ask("Who designed the Analytical Engine?", mode)["references"] == []

    again = workspace.read(ENGLISH, doc_id="ada", file_name="ada.txt")
    assert again["task_id"] != first["task_id"]
    assert workspace.cited("Who designed the Analytical Engine?") == ["ada.txt"]


def test_a_streamed_answer_is_lines_with_the_references_first(workspace: Workspace) -> None:
    workspace.read(ENGLISH, file_name="ada.txt")
    question = {"query": "Who designed the Analytical Engine?", "mode": "mix"}
    with workspace.http.stream("POST", "/query/stream", json=question) as answer:
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        first, *pieces = [json.loads(line) for line in answer.iter_lines()]
    assert [one["file_path"] for one in first["references"]] == ["ada.txt"]
    assert "Analytical Engine" in "".join(piece["response"] for piece in pieces)


def test_workspaces_know_nothing_of_each_other(workspace: Workspace, http: httpx.Client) -> None:
    other = f"{workspace.name}_b"
    assert http.post("/workspaces", json={"name": other}).status_code == 201
    assert http.post("/workspaces", json={"name": other}).json()["code"] == "workspace_exists"
    http.headers["LIGHTRAG-WORKSPACE"] = other
    second = Workspace(workspace.system, other, http)
    workspace.read(ENGLISH, doc_id="same", file_name="ada.txt")
    second.read(CHINESE, doc_id="same", file_name="三国.txt")
    for mode in ("naive", "mix"):
        answer = second.ask("Who designed the Analytical Engine?", mode)
        assert "ada.txt" not in [one["file_path"] for one in answer["references"]]
        assert second.cited("谁与刘备在桃园结义？", mode) == ["三国.txt"]
    listed = {one["name"]: one["documents"] for one in http.get("/workspaces").json()["workspaces"]}
    assert (listed[workspace.name], listed[other]) == (1, 1)

    dropped = http.delete(f"/workspaces/{other}").json()
    assert workspace.ended(dropped)["state"] == "succeeded"
    gone = http.post("/query", json={"query": "Who is there?", "mode": "mix"})
    assert (gone.status_code, gone.json()["code"]) == (404, "workspace_not_found")
    assert http.post("/workspaces", json={"name": other}).status_code == 201
    assert second.documents() == []
    for mode in ("naive", "mix"):
        assert second.ask("谁与刘备在桃园结义？", mode)["references"] == []
    second.read(OTHER, doc_id="same", file_name="curie.txt")
    assert second.cited("Who discovered radium?") == ["curie.txt"]
    assert workspace.cited("Who designed the Analytical Engine?") == ["ada.txt"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/documents"), ("POST", "/insert"), ("POST", "/query")]
)
def test_an_unknown_workspace_is_404(http: httpx.Client, method: str, path: str) -> None:
    http.headers["LIGHTRAG-WORKSPACE"] = "nowhere"
    bodies: dict[str, dict[str, object]] = {
        "/insert": {"files": {"file": ("a.txt", b"text")}},
        "/query": {"json": {"query": "Who is there?", "mode": "mix"}},
    }
    answer = http.request(method, path, **bodies.get(path, {}))  # type: ignore[arg-type]  # httpx's own arguments
    assert (answer.status_code, answer.json()["code"]) == (404, "workspace_not_found")


def test_a_document_that_cannot_be_read_fails_alone(workspace: Workspace) -> None:
    locked = hand_built.pdf(hand_built.pdf_text("x"), trailer=hand_built.ENCRYPTED_TRAILER)
    bad = workspace.insert(locked, file_name="locked.pdf", doc_id="locked")
    good = workspace.insert(ENGLISH, file_name="ada.txt", doc_id="ada")
    empty = workspace.http.post("/insert", files={"file": ("empty.txt", b"")})
    assert (empty.status_code, empty.json()["code"]) == (400, "empty_file")
    failed = workspace.ended(bad)
    assert (failed["state"], failed["error"]["code"]) == ("failed", "encrypted_document")
    assert "password" in failed["error"]["detail"]
    workspace.succeeded(good)
    assert [one["doc_id"] for one in workspace.http.get("/tasks?state=failed").json()["tasks"]] == [
        "locked"
    ]

    retried = workspace.http.post(f"/tasks/{bad['task_id']}/retry")
    assert (retried.status_code, retried.json()["state"]) == (200, "queued")
    again = workspace.ended(bad)
    assert (again["state"], again["error"]["code"]) == ("failed", "encrypted_document")
    assert again["attempt"] == failed["attempt"] + 1
    refused = workspace.http.post(f"/tasks/{good['task_id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "task_not_retryable")
    # New bytes under the same name mend it.
    workspace.read(OTHER, file_name="open.txt", doc_id="locked")
    assert workspace.cited("Who discovered radium?") == ["open.txt"]


def test_a_task_can_be_cancelled_before_its_commit_and_run_later(workspace: Workspace) -> None:
    busy = workspace.insert(LONG, file_name="long.txt")
    waiting = workspace.insert(ENGLISH, file_name="ada.txt")
    asked_at_s = time.monotonic()
    answer = workspace.http.post(f"/tasks/{waiting['task_id']}/cancel")
    assert answer.status_code == 200, answer.text
    assert workspace.ended(waiting)["state"] == "cancelled"
    assert time.monotonic() - asked_at_s < CANCELLED_WITHIN_S
    workspace.succeeded(busy)
    too_late = workspace.http.post(f"/tasks/{busy['task_id']}/cancel")
    assert (too_late.status_code, too_late.json()["code"]) == (409, "task_not_cancellable")
    assert "Charles Babbage" not in read_graph(workspace.system, workspace.name).entities

    assert workspace.http.post(f"/tasks/{waiting['task_id']}/retry").status_code == 200
    workspace.succeeded(waiting)
    assert workspace.cited("Who designed the Analytical Engine?") == ["ada.txt"]


def test_lists_come_in_pages(workspace: Workspace) -> None:
    receipts = [workspace.insert(f"Note {i}.", doc_id=f"note-{i}") for i in range(5)]
    for receipt in receipts:
        workspace.succeeded(receipt)
    for kind, name in (("documents", "doc_id"), ("tasks", "id")):
        seen, cursor = [], None
        for size in (2, 2, 1):
            parameters = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = workspace.http.get(f"/{kind}", params=parameters).json()
            assert len(page[kind]) == size
            seen += [one[name] for one in page[kind]]
            cursor = page["cursor"]
        assert cursor is None
        expected = [one["task_id"] for one in receipts[::-1]]
        assert seen == ([f"note-{i}" for i in range(5)] if kind == "documents" else expected)
    assert workspace.http.get("/documents?cursor=nonsense").status_code == 400

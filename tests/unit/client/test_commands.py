"""The commands as the shell sees them: what they print, and their exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from ops.cli import app
from ops.client import session
from ops.client.api_client import ApiClient
from tests.unit.client.scripted_api import ScriptedApi, document_view, task_view

Command = Callable[..., Result]
TASK = task_view("failed", done=1, error=("no_text", "There is nothing to read."))
RECEIPT = httpx.Response(202, json={"task_id": "task-1", "doc_id": "doc-1", "status_url": "/"})
REFUSAL = httpx.Response(400, json={"code": "empty_file", "detail": "The file is empty."})


@pytest.fixture
def ragfleet(api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command against the scripted API, in a folder without settings."""

    def scripted(url: str, *, key: str, workspace: str | None) -> ApiClient:
        transport = httpx.MockTransport(api.handle)
        return ApiClient(url, key=key, workspace=workspace, transport=transport)

    monkeypatch.setattr(session, "ApiClient", scripted)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATA_DIR", raising=False)
    return lambda *arguments: CliRunner().invoke(app, [*arguments])


def test_inserted_files_are_listed_with_their_tasks(
    ragfleet: Command, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", RECEIPT)
    result = ragfleet("insert", str(document))
    assert result.exit_code == 0
    assert result.stdout == "✓ a.txt  accepted, task task-1\n"


def test_a_refused_file_makes_the_exit_code_1_and_its_line_says_why(
    ragfleet: Command, api: ScriptedApi, document: Path
) -> None:
    (document.parent / "b.txt").write_text("more")
    api.on("POST /insert", REFUSAL, RECEIPT)
    result = ragfleet("insert", str(document.parent))
    assert result.exit_code == 1
    assert "empty_file: The file is empty." in result.stdout
    assert result.stdout.endswith("1 of 2 documents fine, 1 not\n")


@pytest.mark.usefixtures("impatient")
def test_insert_as_json_is_one_list_and_nothing_else(
    ragfleet: Command, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", RECEIPT)
    api.on("GET /tasks/task-1", TASK)
    result = ragfleet("insert", "--wait", "--json", str(document))
    assert result.exit_code == 1
    [outcome] = json.loads(result.stdout)
    assert outcome["state"] == "failed"
    assert outcome["error"] == {"code": "no_text", "detail": "There is nothing to read."}


def test_a_doc_id_for_several_files_is_refused_before_anything_is_sent(
    ragfleet: Command, api: ScriptedApi, document: Path
) -> None:
    (document.parent / "b.txt").write_text("more")
    result = ragfleet("insert", "--doc-id", "one", str(document.parent))
    assert result.exit_code == 2
    assert api.requests == []


def test_an_unknown_path_is_refused_before_anything_is_sent(
    ragfleet: Command, api: ScriptedApi, document: Path
) -> None:
    assert ragfleet("insert", str(document), "nothing.txt").exit_code == 2
    assert api.requests == []


def test_no_api_at_the_address_is_exit_code_3_and_names_make_up(
    ragfleet: Command, api: ScriptedApi
) -> None:
    api.on("GET /tasks", httpx.ConnectError("refused"))
    result = ragfleet("tasks")
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert "http://127.0.0.1:8000; start one with `make up`" in result.stderr


def test_a_wrong_setting_is_exit_code_2_and_one_sentence(
    ragfleet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_PORT", "many")
    result = ragfleet("tasks")
    assert result.exit_code == 2
    assert "API_PORT" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_problem_is_exit_code_1_and_one_line_with_its_code(
    ragfleet: Command, api: ScriptedApi
) -> None:
    api.on("GET /tasks/task-9", httpx.Response(404, json={"code": "task_not_found"}))
    result = ragfleet("tasks", "show", "task-9")
    assert result.exit_code == 1
    assert result.stderr.startswith("task_not_found: ")


def test_usage_is_a_table_of_days(ragfleet: Command, api: ScriptedApi) -> None:
    row = {
        "day": "2026-11-24",
        "workspace": "default",
        "model": "m[1]",
        "purpose": "query",
        "calls": 3,
        "prompt_tokens": 300,
        "completion_tokens": 60,
    }
    api.on("GET /usage", {"usage": [row], "cursor": None})
    result = ragfleet("usage", "--from", "2026-11-01", "-w", "default")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split() == [str(value) for value in row.values()]
    assert dict(api.requests[0].url.params) == {
        "from": "2026-11-01",
        "workspace": "default",
        "limit": "50",
    }


def test_the_task_list_shows_the_error_and_keeps_brackets_of_file_names(
    ragfleet: Command, api: ScriptedApi
) -> None:
    api.on("GET /tasks", {"tasks": [TASK], "cursor": None})
    result = ragfleet("tasks", "--state", "failed")
    assert result.exit_code == 0
    line = result.stdout.splitlines()[1]
    for part in ("task-1", "failed", "1/4", "三国[1].txt", "no_text: There is nothing to read."):
        assert part in line
    assert api.requests[0].url.params["state"] == "failed"


def test_one_task_is_shown_field_by_field_without_what_is_unknown(
    ragfleet: Command, api: ScriptedApi
) -> None:
    api.on("POST /tasks/task-1/retry", TASK)
    result = ragfleet("tasks", "retry", "task-1")
    assert "done 1, total 4" in result.stdout
    assert "finished_at" not in result.stdout


def test_an_answer_is_printed_with_its_numbered_sources(
    ragfleet: Command, api: ScriptedApi
) -> None:
    references = [{"reference_id": "1", "file_path": "三国[1].txt"}]
    api.on("POST /query", {"response": "In the peach garden [1].", "references": references})
    result = ragfleet("query", "Where?", "--mode", "naive")
    assert result.stdout == "In the peach garden [1].\n\nSources:\n  [1] 三国[1].txt\n"
    assert api.bodies() == [{"query": "Where?", "mode": "naive"}]


def test_sources_are_not_listed_twice_when_the_answer_lists_them(
    ragfleet: Command, api: ScriptedApi
) -> None:
    response = "In the garden [2].\n\n### References\n\n- [2] a.txt"
    references = [{"reference_id": "1", "file_path": "b.txt"}]
    api.on("POST /query", {"response": response, "references": references})
    assert ragfleet("query", "Where?").stdout == response + "\n"


def test_a_streamed_answer_is_printed_in_one_piece_with_its_sources(
    ragfleet: Command, api: ScriptedApi
) -> None:
    lines = '{"references": [{"reference_id": "1", "file_path": "a.txt"}]}\n'
    lines += '{"response": "In the "}\n{"response": "garden."}\n'
    api.on("POST /query/stream", httpx.Response(200, text=lines))
    result = ragfleet("query", "Where?", "--stream")
    assert result.stdout == "In the garden.\n\nSources:\n  [1] a.txt\n"


def test_a_stream_that_breaks_off_is_exit_code_1(ragfleet: Command, api: ScriptedApi) -> None:
    lines = (
        '{"response": "In the "}\n{"error": "The model is away.", "code": "model_unavailable"}\n'
    )
    api.on("POST /query/stream", httpx.Response(200, text=lines))
    result = ragfleet("query", "Where?", "--stream")
    assert result.exit_code == 1
    assert "model_unavailable: The model is away." in result.stderr


def test_documents_are_listed(ragfleet: Command, api: ScriptedApi) -> None:
    api.on("GET /documents", {"documents": [document_view("d", "a.txt")], "cursor": None})
    assert ragfleet("documents", "-w", "team").stdout.splitlines()[1].split() == [
        "d",
        "a.txt",
        "queued",
        "1,234",
    ]
    assert api.requests[0].headers["LIGHTRAG-WORKSPACE"] == "team"


def test_an_empty_list_says_so(ragfleet: Command, api: ScriptedApi) -> None:
    api.on("GET /workspaces", {"workspaces": [], "cursor": None})
    assert ragfleet("workspaces").stdout == "There are none.\n"


def test_a_workspace_is_not_removed_before_the_person_agrees(
    ragfleet: Command, api: ScriptedApi
) -> None:
    assert ragfleet("workspaces", "delete", "team").exit_code == 1
    assert api.requests == []
    api.on("DELETE /workspaces/team", RECEIPT)
    assert ragfleet("workspaces", "delete", "team", "--yes").stdout == "Task task-1 removes it.\n"


def test_pausing_waits_for_the_commit_that_is_under_way(
    ragfleet: Command, api: ScriptedApi
) -> None:
    workspace = {"name": "team", "documents": 3, "paused": True}
    answers = ({**workspace, "committing": still} for still in (True, False))
    api.on("POST /workspaces/team/pause", *answers)
    assert ragfleet("workspaces", "pause", "team").exit_code == 0
    assert len(api.requests) == 2

    api.on("GET /workspaces", {"workspaces": [workspace], "cursor": None})
    assert ragfleet("workspaces").stdout.splitlines()[1].split() == ["team", "3", "paused"]


@pytest.mark.parametrize(("paused", "said"), [(False, "goes on."), (True, "A copy of team")])
def test_resuming_says_whether_ingestion_goes_on(
    ragfleet: Command, api: ScriptedApi, *, paused: bool, said: str
) -> None:
    api.on("POST /workspaces/team/resume", {"name": "team", "paused": paused})
    assert said in ragfleet("workspaces", "resume", "team").stdout


def test_options_before_a_subcommand_are_not_silently_ignored(
    ragfleet: Command, api: ScriptedApi
) -> None:
    assert ragfleet("tasks", "--json", "show", "task-1").exit_code == 2
    assert api.requests == []


def test_the_version_is_that_of_the_package(ragfleet: Command) -> None:
    assert ragfleet("--version").stdout.startswith("ragfleet 0.")

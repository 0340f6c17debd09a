"""The command line and the guide's curl calls against a running system."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.acceptance.system import System, Workspace

TEXT = "Grace Hopper wrote the first compiler. Grace Hopper served in the United States Navy."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hopper.txt").write_text(TEXT)
    (tmp_path / "长城.md").write_text("秦始皇修建长城。", encoding="utf-8")
    return tmp_path


def test_the_commands_lead_through_a_documents_life(workspace: Workspace, folder: Path) -> None:
    def ragfleet(*words: str, exit_code: int = 0) -> str:
        return workspace.system.ragfleet(*words, "-w", workspace.name, exit_code=exit_code)

    outcomes = json.loads(ragfleet("insert", str(folder), "--wait", "--json"))
    assert {Path(one["file"]).name: one["state"] for one in outcomes} == {
        "hopper.txt": "succeeded",
        "长城.md": "succeeded",
    }
    answer = ragfleet("query", "Who wrote the first compiler?")
    assert "Grace Hopper" in answer
    assert "[1] hopper.txt" in answer
    assert "长城.md" in ragfleet("query", "谁修建了长城？", "--mode", "naive")
    assert "Grace Hopper" in ragfleet("query", "Who wrote the first compiler?", "--stream")

    hopper = next(one for one in outcomes if one["file"].endswith("hopper.txt"))
    assert hopper["task_id"] in ragfleet("tasks")
    shown = json.loads(ragfleet("tasks", "show", hopper["task_id"], "--json"))
    assert (shown["state"], shown["doc_id"]) == ("succeeded", hopper["doc_id"])
    assert "hopper.txt" in ragfleet("documents")
    removal = json.loads(ragfleet("documents", "delete", hopper["doc_id"], "--json"))
    workspace.succeeded(removal)
    assert "hopper.txt" not in ragfleet("documents")
    assert "task_not_found" not in ragfleet("tasks", "--state", "succeeded")
    ragfleet("tasks", "cancel", hopper["task_id"], exit_code=1)


def test_the_commands_make_and_remove_workspaces(system: System) -> None:
    system.ragfleet("workspaces", "create", "by_hand")
    assert "by_hand" in system.ragfleet("workspaces")
    system.ragfleet("workspaces", "delete", "by_hand", "--yes")
    assert "by_hand" not in system.ragfleet("workspaces")
    system.ragfleet("documents", "-w", "by_hand", exit_code=1)


def test_health_lets_a_document_through_and_leaves_nothing_behind(system: System) -> None:
    found = json.loads(system.ragfleet("health", "--probe", "--json"))["findings"]
    assert {one["code"]: one["status"] for one in found if one["status"] != "ok"} == {}
    codes = {one["code"] for one in found}
    assert {"health.api", "health.stores", "health.probe"} <= codes
    assert ("health.queue_extract" in codes) == (system.shape == "embedded")
    assert "probe_" not in system.ragfleet("workspaces")


def test_the_status_names_every_service(system: System) -> None:
    shown = system.ragfleet("up", "--status")
    names = [line.split()[:2] for line in shown.splitlines()]
    services = ["postgres", "valkey", "api", "worker", "beat", "flower"]
    assert names == [[name, "ready"] for name in services[2:3] * (system.shape == "files")] or (
        names == [[name, "ready"] for name in services]
    )


def test_the_guides_two_curl_calls_work_word_for_word(system: System, tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("这是测试查询的文档。测试查询由张三编写。", encoding="utf-8")

    def curl(words: list[str]) -> dict[str, object]:
        done = subprocess.run(
            ["curl", "-s", *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return dict(json.loads(done.stdout))

    insert = f"-X POST {system.url}/insert -F doc_id=test_external -F file=@test.txt"
    receipt = curl(insert.split())
    assert receipt["doc_id"] == "test_external"
    with httpx.Client(base_url=system.url) as http:
        Workspace(system, "default", http).succeeded(receipt)
    answer = curl(
        [
            *f"-X POST {system.url}/query -H Content-Type:application/json -d".split(),
            '{"query": "测试查询", "mode": "naive"}',
        ]
    )
    assert "测试查询" in str(answer["response"])
    assert [one["file_path"] for one in answer["references"]] == ["test.txt"]  # type: ignore[attr-defined]  # a list

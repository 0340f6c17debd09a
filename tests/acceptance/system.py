"""One local system as its user drives it: the command `ragfleet`, HTTP, and its processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ops.local.control import status
from ops.local.identity import living_pids
from ops.local.ports import free_port

Json = dict[str, Any]
RAGFLEET = Path(sys.executable).with_name("ragfleet")
# Generous: a document takes two seconds on an idle machine, a start fifteen.
PATIENCE_S = 90.0
COMMAND_TIMEOUT_S = 180.0
POLL_S = 0.1  # no event crosses processes; a look costs the API some milliseconds
FINAL_STATES = {"succeeded", "failed", "cancelled", "superseded"}


def until(condition: Callable[[], Any], *, timeout_s: float = PATIENCE_S, what: str) -> Any:
    """Wait for what only another process can bring about; returns the first true value."""
    give_up_at_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < give_up_at_s, f"{what}: not within {timeout_s:.0f} s"
        time.sleep(POLL_S)
    return value


def processes_of(folder: Path) -> dict[int, str]:
    """Living processes that work on a DATA_DIR, by pid: they name it somewhere."""
    mark = str(folder).encode()
    found = {}
    for pid in living_pids():
        process = Path("/proc", str(pid))
        try:
            words = [(process / name).read_bytes() for name in ("environ", "cmdline")]
            words.append(os.fsencode((process / "cwd").readlink()))
        except OSError:
            continue
        if any(mark in word for word in words):
            found[pid] = words[1].replace(b"\0", b" ").decode(errors="replace")
    return found


@dataclass(frozen=True)
class System:
    """A DATA_DIR with ports of its own, and the environment in which its user types commands."""

    shape: str
    data_dir: Path
    variables: dict[str, str] = field(default_factory=dict)
    api_port: int = field(default_factory=free_port)
    flower_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the user's shell exports; nothing of the machine that tests run on."""
        chosen = {
            "embedded": {},
            "files": {"USE_EXTERNAL_STORAGE": "false"},
            "neo4j": {"GRAPH_STORAGE": "Neo4JStorage"},
        }
        return {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "DATA_DIR": str(self.data_dir),
            "API_PORT": str(self.api_port),
            "FLOWER_PORT": str(self.flower_port),
            **chosen[self.shape],
            **self.variables,
        }

    def ragfleet(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command; its standard output."""
        done = subprocess.run(
            [RAGFLEET, *arguments],
            env=self.environment,
            cwd=self.data_dir.parent,  # where no .env lies
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == exit_code, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self) -> str:
        """Start it in the background; what the command printed."""
        return self.ragfleet("up", "--detach")

    def down(self) -> None:
        """Stop it; nothing may be left."""
        self.ragfleet("up", "--down")
        assert processes_of(self.data_dir) == {}

    def pids(self) -> dict[str, int]:
        """The main process of each service that lives now, and the supervisor."""
        now = status(self.data_dir)
        found = {"supervisor": now.supervisor_pid} | {one.name: one.pid for one in now.services}
        return {name: pid for name, pid in found.items() if pid is not None}

    def secrets(self) -> list[str]:
        kept = json.loads((self.data_dir / "secrets.json").read_text())
        return [value for name, value in kept.items() if name.endswith("_password")]


@dataclass(frozen=True)
class Workspace:
    """A client of one workspace."""

    system: System
    name: str
    http: httpx.Client

    def insert(
        self, content: str | bytes, *, file_name: str = "note.txt", doc_id: str | None = None
    ) -> Json:
        """Upload one document; the receipt."""
        answer = self.http.post(
            "/insert",
            files={"file": (file_name, content.encode() if isinstance(content, str) else content)},
            data={"doc_id": doc_id} if doc_id else {},
        )
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def task(self, task_id: str) -> Json:
        return dict(self.http.get(f"/tasks/{task_id}").raise_for_status().json())

    def ended(self, receipt: Json) -> Json:
        """Wait until a task ends; the task."""

        def look() -> Json | None:
            task = self.task(receipt["task_id"])
            return task if task["state"] in FINAL_STATES else None

        return dict(until(look, what=f"{receipt['task_id']} ends"))

    def succeeded(self, receipt: Json) -> Json:
        task = self.ended(receipt)
        assert task["state"] == "succeeded", task
        return task

    def read(self, content: str | bytes, **names: str) -> Json:
        """Upload one document and wait until it is in the graph; the receipt."""
        receipt = self.insert(content, **names)
        self.succeeded(receipt)
        return receipt

    def delete(self, doc_id: str) -> None:
        """Remove one document and wait until it is gone."""
        answer = self.http.delete(f"/documents/{doc_id}")
        assert answer.status_code == 202, answer.text
        self.succeeded(answer.json())

    def ask(self, question: str, mode: str = "mix") -> Json:
        """The answer to a question."""
        answer = self.http.post("/query", json={"query": question, "mode": mode})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def cited(self, question: str, mode: str = "mix") -> list[str]:
        """The files that an answer cites, not only looked at."""
        answer = self.ask(question, mode)
        return [
            one["file_path"]
            for one in answer["references"]
            if f"[{one['reference_id']}]" in answer["response"]
        ]

    def documents(self) -> list[Json]:
        found = self.http.get("/documents", params={"limit": 100}).raise_for_status()
        return list(found.json()["documents"])

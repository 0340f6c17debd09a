"""A user of the installation: uploads, questions and tasks, through nginx and TLS."""

import ssl
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import httpx

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.installation import Installation

FINAL = {"succeeded", "failed", "cancelled", "superseded"}
_POLL_S = 0.3  # nginx lets 20 requests a second through
_ANSWER_TIMEOUT_S = 60  # the first question opens the workspace and loads a model
_AWAY = (httpx.TransportError,)
# What nginx says while the API is away, and the API while a store is.
_COME_AGAIN = {502, 503, 504}
_TOO_MANY = 429  # nginx, of a visitor who is too quick: no outage
_HTTPS, _API = 443, 8000


def _key(installation: Installation) -> str:
    return (installation.folder / "secrets" / "api_key").read_text().strip()


class Visitor:
    """Speaks to the installation's front door; waits where it is away for a moment."""

    def __init__(self, address: str, *, key: str, authority: Path | None = None) -> None:
        """Name the front door, the API key and, with TLS, the certificate it must show."""
        self._client = httpx.Client(
            base_url=address,
            headers={"X-API-Key": key},
            verify=ssl.create_default_context(cafile=str(authority)) if authority else True,
            timeout=_ANSWER_TIMEOUT_S,
            trust_env=False,
        )
        self.longest_outage_s = 0.0
        """The longest that a request was refused or not answered, since `forget_outages`."""
        self._lock = threading.Lock()

    @classmethod
    def through_nginx(cls, installation: Installation) -> Self:
        """Come by nginx's port, with TLS."""
        address = f"https://localhost:{installation.port('nginx', _HTTPS)}"
        authority = installation.folder / "tls" / "fullchain.pem"
        return cls(address, key=_key(installation), authority=authority)

    @classmethod
    def of_port(cls, installation: Installation, service: str) -> Self:
        """Come by the port that a service publishes on this host."""
        address = f"http://127.0.0.1:{installation.port(service, _API)}"
        return cls(address, key=_key(installation))

    def forget_outages(self) -> None:
        """Measure outages anew."""
        self.longest_outage_s = 0.0

    def ask(
        self, method: str, path: str, *, patience_s: float = 120, **request: Any
    ) -> httpx.Response:
        """Make a request, again and again while the answer is "come again".

        Raises:
            RehearsalError: that went on for too long, or the answer is an error.
        """
        began_s = time.monotonic()
        while True:
            said = self._once(method, path, request)
            waited_s = time.monotonic() - began_s
            status = said.status_code if isinstance(said, httpx.Response) else None
            if status is not None and status not in {*_COME_AGAIN, _TOO_MANY}:
                break
            if waited_s > patience_s:
                raise RehearsalError(f"{method} {path} is refused for {waited_s:.0f} s: {said}")
            if status != _TOO_MANY:
                self._note(waited_s)
            time.sleep(_POLL_S)
        assert isinstance(said, httpx.Response)  # noqa: S101 - it has a status
        if said.is_error:
            raise RehearsalError(f"{method} {path}: {said.status_code} {said.text[:500]}")
        return said

    def once(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a request once, whatever the answer is."""
        return self._client.request(method, path, **request)

    def pieces(self, path: str, question: dict[str, str]) -> int:
        """Ask for an answer that comes piece by piece; return how many lines it had.

        Raises:
            RehearsalError: it is none.
        """
        with self._client.stream("POST", path, json=question) as answer:
            lines = sum(1 for line in answer.iter_lines() if line)
        if answer.is_error or lines < 2:  # the sources, then at least one piece
            raise RehearsalError(f"POST {path}: {answer.status_code}, {lines} lines")
        return lines

    def _once(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response | Exception:
        try:
            return self._client.request(method, path, **request)
        except _AWAY as error:
            return error

    def _note(self, waited_s: float) -> None:
        with self._lock:
            self.longest_outage_s = max(self.longest_outage_s, round(waited_s + _POLL_S, 1))

    def insert(self, doc_id: str, name: str, content: bytes, *, workspace: str = "default") -> str:
        """Upload a document; return its task's id. Safe to be repeated: same id, same bytes."""
        answer = self.ask(
            "POST",
            "/insert",
            data={"doc_id": doc_id},
            files={"file": (name, content)},
            headers={"LIGHTRAG-WORKSPACE": workspace},
        )
        return str(answer.json()["task_id"])

    def task(self, task_id: str) -> dict[str, Any]:
        """Return what the API says of a task."""
        found: dict[str, Any] = self.ask("GET", f"/tasks/{task_id}").json()
        return found

    def wait_for(self, tasks: Iterable[str], *, timeout_s: float) -> None:
        """Wait until every task succeeded.

        Raises:
            RehearsalError: one failed, or is not done in time.
        """
        until = time.monotonic() + timeout_s
        for task_id in tasks:
            while (found := self.task(task_id))["state"] not in FINAL:
                if time.monotonic() > until:
                    raise RehearsalError(
                        f"task {task_id} is not done after {timeout_s:.0f} s: {found}"
                    )
                time.sleep(_POLL_S)
            if found["state"] != "succeeded":
                raise RehearsalError(f"task {task_id} ended as {found['state']}: {found['error']}")

    def question(self, text: str, *, mode: str = "mix") -> tuple[str, list[str]]:
        """Ask; return the answer and the files that it cites."""
        answer = self.ask("POST", "/query", json={"query": text, "mode": mode}).json()
        return answer["response"], [reference["file_path"] for reference in answer["references"]]

    def documents(self) -> set[str]:
        """Return the ids of all documents that questions find."""
        found: set[str] = set()
        cursor = ""
        while True:
            query = f"?limit=200&cursor={cursor}" if cursor else "?limit=200"
            answer = self.ask("GET", f"/documents{query}").json()
            found |= {row["doc_id"] for row in answer["documents"] if row["committed_revision"]}
            cursor = answer["cursor"] or ""
            if not cursor:
                return found

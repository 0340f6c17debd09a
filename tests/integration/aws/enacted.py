"""What moto leaves out of ECS: rollouts that take a while or fail, and tasks that end badly.

moto keeps what it is told of clusters, services and tasks, but nothing runs: a service has only the
deployment of its creation, and every task ends with 0. This stands before moto and completes its
answers; what is asked, and what a service runs, is moto's.
"""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Enacted:
    """Answers for moto where rollouts and exit codes are concerned."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        """Task definitions whose tasks do not stay up: the circuit breaker takes them back."""
        self.stuck: set[str] = set()
        """Task definitions that neither come up nor are taken back."""
        self.exit_code: int | None = 0
        """Of the next task; None: it never ran."""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        """What changed something, in order."""
        self._settled: dict[str, str] = {}
        self._looks: dict[str, int] = {}

    def __call__(
        self, app: App, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes] | None:
        """Complete an answer; None: it is no business of ours."""
        service, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if not service.startswith("AmazonEC2ContainerService"):
            return None
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(sent)
        if action in {"UpdateService", "RunTask", "StopTask"}:
            asked = json.loads(sent)
            self.calls.append((action, asked))
            self._looks.pop(str(asked.get("service")), None)
        complete = {"DescribeServices": self._rollouts, "DescribeTasks": self._exits}.get(action)
        if complete is None:
            return None
        said: list[Any] = []
        answer = json.loads(b"".join(app(environ, lambda *words: said.extend(words))))
        complete(answer)
        body = json.dumps(answer).encode()
        headers = [one for one in said[1] if one[0].lower() != "content-length"]
        start_response(said[0], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _rollouts(self, answer: dict[str, Any]) -> None:
        for service in answer.get("services", []):
            service["deployments"] = self._deployments(service["serviceName"], service)

    def _deployments(self, name: str, service: dict[str, Any]) -> list[dict[str, Any]]:
        """A rollout is under way when it is first looked at, and decided from then on."""
        wanted = service["taskDefinition"]
        before = self._settled.setdefault(name, wanted)
        if wanted == before:
            return [_deployment(wanted, "PRIMARY", "COMPLETED")]
        look = self._looks[name] = self._looks.get(name, 0) + 1
        if look == 1 or wanted in self.stuck:
            return [
                _deployment(wanted, "PRIMARY", "IN_PROGRESS"),
                _deployment(before, "ACTIVE", "COMPLETED"),
            ]
        if wanted not in self.broken:
            self._settled[name] = wanted
            return [_deployment(wanted, "PRIMARY", "COMPLETED")]
        service["taskDefinition"] = before
        if look > 2:
            return [_deployment(before, "PRIMARY", "COMPLETED")]
        return [
            _deployment(before, "PRIMARY", "IN_PROGRESS"),
            _deployment(wanted, "ACTIVE", "FAILED", "tasks failed to start."),
        ]

    def _exits(self, answer: dict[str, Any]) -> None:
        for task in answer.get("tasks", []):
            if self.exit_code is None:
                task["stoppedReason"] = "CannotPullContainerError: not found"
            for container in task["containers"]:
                container.pop("exitCode", None)
                if self.exit_code is not None:
                    container["exitCode"] = self.exit_code


def _deployment(definition: str, status: str, state: str, reason: str = "") -> dict[str, Any]:
    return {
        "taskDefinition": definition,
        "status": status,
        "rolloutState": state,
        "rolloutStateReason": reason,
    }

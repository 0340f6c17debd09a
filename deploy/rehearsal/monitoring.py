"""`docker-compose.monitoring.yml`: a Prometheus with the shipped configuration asks every tier."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

from deploy.rehearsal.basics import UP_TIMEOUT_S
from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.texts import long_text
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

ACT = "docker-compose.monitoring.yml"
FILES = ("docker-compose.yml", "docker-compose.monitoring.yml")
_TARGETS = {
    "ragfleet-api api",
    "ragfleet-worker worker-prepare",
    "ragfleet-worker worker-extract",
    "ragfleet-worker worker-commit",
    "ragfleet-beat beat",
}
_TIMEOUT_S = 120  # it looks every 15 seconds, and for new containers every 30
_INGEST_TIMEOUT_S = 180
_POLL_S = 0.5
# What Grafana puts in for a scrape every 15 seconds.
_RATE_INTERVAL = "1m"
_NAME = re.compile(r"\b(?:ragfleet|process)_\w+")
# Beat tells of it only where it writes to CloudWatch.
_NOT_HERE = "ragfleet_cloudwatch_"
_PART_OF_A_FAMILY = re.compile(r"_(?:bucket|count|sum|total)$")


def watch(installation: Installation, visitor: Visitor, transcript: Transcript) -> None:
    """Start Prometheus and ask it about all targets, alert rules and the dashboard's queries.

    Raises:
        RehearsalError: a target is down, a rule or a query fails, or names a metric nobody has.
    """
    watched = Installation(installation.engine, installation.folder, files=FILES)
    services = watched.services()
    listening = [
        name
        for name, row in services.items()
        if (row.get("environment") or {}).get("METRICS_HOST") == "0.0.0.0"  # noqa: S104 - is it?
    ]
    with transcript.step(ACT, f"Prometheus and {', '.join(listening)} started") as entry:
        start = ("up", "--detach", "--no-build", "--no-deps", "prometheus", *listening)
        watched.compose(*start, timeout_s=UP_TIMEOUT_S)
        watched.wait_until_well(timeout_s=UP_TIMEOUT_S)
        entry.seen["left out"] = "grafana, whose image no package of Debian stands in for"
    port = services["prometheus"]["ports"][0]["published"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False) as prometheus:
        task = visitor.insert("watched", "watched.txt", long_text(0).encode())
        visitor.wait_for([task], timeout_s=_INGEST_TIMEOUT_S)
        _targets(prometheus, transcript)
        known = _known_metrics(prometheus)
        _rules(prometheus, transcript, known, watched)
        _dashboard(prometheus, transcript, known, watched)
    watched.compose("rm", "--stop", "--force", "prometheus")


def _ask(prometheus: httpx.Client, path: str, **parameters: str) -> Any:
    answer = prometheus.get(path, params=parameters)
    content = answer.json()
    if content["status"] != "success":
        raise RehearsalError(f"Prometheus says of {path} {parameters}: {content['error']}")
    return content["data"]


def _targets(prometheus: httpx.Client, transcript: Transcript) -> None:
    with transcript.step(ACT, "every target of the shipped configuration is up") as entry:
        until = time.monotonic() + _TIMEOUT_S
        while True:
            found = _ask(prometheus, "targets", state="active")["activeTargets"]
            states = {_target(row): row["health"] for row in found}
            if states.keys() >= _TARGETS and set(states.values()) == {"up"}:
                break
            if time.monotonic() > until:
                errors = [row["lastError"] for row in found if row["lastError"]]
                raise RehearsalError(f"not all targets are up: {states} {errors}")
            time.sleep(_POLL_S)
        counts = Counter(row["labels"]["job"] for row in found)
        entry.seen |= dict(sorted(counts.items()))


def _target(row: dict[str, Any]) -> str:
    return f"{row['labels']['job']} {row['discoveredLabels']['__meta_dns_name']}"


def _known_metrics(prometheus: httpx.Client) -> set[str]:
    """The families that some target tells of, also those without a value yet."""
    return {_family(name) for name in _ask(prometheus, "metadata")}


def _family(name: str) -> str:
    return _PART_OF_A_FAMILY.sub("", name)


def _require_known(expressions: Iterable[str], known: set[str]) -> None:
    named = {name for text in expressions for name in _NAME.findall(text)}
    unknown = {name for name in named if _family(name) not in known}
    if wrong := sorted(name for name in unknown if not name.startswith(_NOT_HERE)):
        raise RehearsalError(f"no target has {', '.join(wrong)}")


def _rules(
    prometheus: httpx.Client, transcript: Transcript, known: set[str], installation: Installation
) -> None:
    with transcript.step(ACT, "all alert rules are loaded and evaluated") as entry:
        text = (installation.folder / "deploy" / "monitoring" / "alerts.yml").read_text()
        expected = set(re.findall(r"- alert: (\w+)", text))
        until = time.monotonic() + _TIMEOUT_S
        while True:
            groups = _ask(prometheus, "rules", type="alert")["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            if {rule["name"] for rule in rules if rule["health"] == "ok"} == expected:
                break
            if time.monotonic() > until:
                told = [(row["name"], row["health"], row.get("lastError")) for row in rules]
                raise RehearsalError(f"not all alert rules work: {told}")
            time.sleep(_POLL_S)
        _require_known((rule["query"] for rule in rules), known)
        firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
        entry.seen |= {"rules": len(rules), "firing": ", ".join(firing) or "none"}


def _dashboard(
    prometheus: httpx.Client, transcript: Transcript, known: set[str], installation: Installation
) -> None:
    folder = installation.folder / "deploy" / "monitoring" / "grafana" / "dashboards"
    with transcript.step(ACT, "every query of Grafana's dashboard, asked of Prometheus") as entry:
        dashboard = json.loads((folder / "ragfleet.json").read_text())
        expressions = [
            text.replace("$__rate_interval", _RATE_INTERVAL) for text in _expressions(dashboard)
        ]
        _require_known(expressions, known)
        answered = sum(
            bool(_ask(prometheus, "query", query=expression)["result"])
            for expression in expressions
        )
        entry.seen |= {"queries": len(expressions), "with values": answered}


def _expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for value in node.values():
            yield from _expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _expressions(value)

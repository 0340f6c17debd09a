"""The page about traces and logs, and the collector's configuration, agree with what there is."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/observability.md").read_text(encoding="utf-8")


def test_the_events_that_the_page_names_are_written() -> None:
    named = set(re.findall(r'event = "(\w+)"', PAGE)) | {
        "document_prepared", "batch_extracted", "task_committed", "upload_accepted",
        "lease_expired", "lightrag_warned",
    }  # fmt: skip
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("api", "worker", "shared")
        for path in (ROOT / folder).rglob("*.py")
    )
    assert {event for event in named if f'"{event}"' not in code or event not in PAGE} == set()


def test_every_part_that_the_collector_uses_is_configured() -> None:
    collector: dict[str, Any] = yaml.safe_load(
        (ROOT / "deploy/monitoring/otel-collector.yaml").read_text(encoding="utf-8")
    )
    service = collector["service"]
    assert set(service["extensions"]) <= set(collector["extensions"])
    for pipeline in service["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert pipeline[kind]
            assert set(pipeline[kind]) <= set(collector[kind])
    for exporter in collector["exporters"].values():
        if "auth" in exporter:
            assert exporter["auth"]["authenticator"] in collector["extensions"]
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318")

"""Grafana's dashboard asks Prometheus for what there is, in words that Prometheus takes."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.unit.monitoring.conftest import Promtool
from tests.unit.monitoring.expressions import unknown_names

ROOT = Path(__file__).parents[3]
GRAFANA = ROOT / "deploy/monitoring/grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards/ragfleet.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_every_expression_is_one(promtool: Promtool, tmp_path: Path) -> None:
    # As rules, for that is what promtool checks; Grafana puts a span in for its variable.
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    checked = promtool("check", "rules", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(EXPRESSIONS)} rules found" in checked.stdout


def test_every_expression_names_metrics_that_exist() -> None:
    for expression in EXPRESSIONS:
        assert not unknown_names(expression), expression


def test_panels_have_titles_and_places_of_their_own() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["title"] for panel in PANELS)
    taken = {
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in PANELS
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    }
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in PANELS)


def test_the_source_of_all_panels_is_the_provisioned_one() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    [source] = sources["datasources"]
    used = {
        target["datasource"]["uid"] for panel in PANELS for target in [panel, *panel["targets"]]
    }
    assert used == {source["uid"]}


def test_the_compose_file_shows_both_on_this_host_alone_and_has_no_password_in_it() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.monitoring.yml").read_text())
    for name in ("prometheus", "grafana"):
        service = compose["services"][name]
        assert service["profiles"] == ["monitoring"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "GF_SECURITY_ADMIN_PASSWORD" not in compose["services"]["grafana"]["environment"]
    assert compose["secrets"]["grafana_password"]["file"].startswith("${GRAFANA_PASSWORD_FILE:?")
    mounted = [
        volume.split(":")[0]
        for name in ("prometheus", "grafana")
        for volume in compose["services"][name]["volumes"]
        if volume.startswith("./")
    ]
    assert all((ROOT / path).exists() for path in mounted)

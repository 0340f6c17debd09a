"""The alert rules are valid, each is seen firing and silent, and they ask for what there is."""

import re
from collections import Counter
from pathlib import Path

import yaml

from tests.unit.monitoring.conftest import Promtool
from tests.unit.monitoring.expressions import unknown_names

FOLDER = Path(__file__).parents[3] / "deploy/monitoring"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
TESTS = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]


def test_the_rules_are_valid(promtool: Promtool) -> None:
    checked = promtool("check", "rules", FOLDER / "alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_pass_their_own_tests(promtool: Promtool) -> None:
    checked = promtool("test", "rules", FOLDER / "alerts.test.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_is_seen_firing_and_silent() -> None:
    names = Counter(rule["alert"] for rule in RULES)
    assert max(names.values()) == 1
    checks = [check for test in TESTS for check in test["alert_rule_test"]]
    firing = {check["alertname"] for check in checks if check["exp_alerts"]}
    silent = {check["alertname"] for check in checks if not check["exp_alerts"]}
    assert firing == silent == set(names)


def test_every_alert_names_metrics_that_exist() -> None:
    for rule in RULES:
        assert not unknown_names(rule["expr"]), rule["alert"]


def test_every_alert_says_what_to_do_and_how_urgent_it_is() -> None:
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_series_in_the_tests_are_ours() -> None:
    for test in TESTS:
        for series in test["input_series"]:
            assert not unknown_names(series["series"]), series


def test_prometheus_reads_its_configuration_and_the_jobs_are_those_of_the_rules(
    promtool: Promtool,
) -> None:
    path = FOLDER / "prometheus.yml"
    # Only the syntax: the file with the key is in the container alone.
    checked = promtool("check", "config", "--syntax-only", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    configuration = yaml.safe_load(path.read_text())
    jobs = {job["job_name"] for job in configuration["scrape_configs"]}
    named = set(re.findall(r'job="([\w-]+)"', (FOLDER / "alerts.yml").read_text()))
    assert named <= jobs
    assert configuration["rule_files"] == ["alerts.yml"]

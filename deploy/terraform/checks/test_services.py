"""What runs on ECS: as many as told, as in docker-compose.yml, and never two clocks."""

from typing import Any

import hcl2
import yaml
from conftest import TERRAFORM, Plan

METRICS = TERRAFORM.parents[1] / "worker" / "cloudwatch" / "data.py"
COMPOSE = TERRAFORM.parents[1] / "docker-compose.yml"
WORKERS = {"worker-prepare": "prepare", "worker-extract": "extract", "worker-commit": "commit"}


def services(plan: Plan) -> dict[str, dict[str, Any]]:
    return {found.values["name"]: found.values for found in plan.of("aws_ecs_service")}


def scaled(plan: Plan) -> dict[str, tuple[int, int]]:
    return {
        found.values["resource_id"].split("/")[-1]: (
            found.values["min_capacity"],
            found.values["max_capacity"],
        )
        for found in plan.of("aws_appautoscaling_target")
    }


def kinds() -> dict[str, Any]:
    [found] = hcl2.loads((TERRAFORM / "modules/service/kinds.tf").read_text())["locals"]

    def resolved(value: Any) -> Any:  # noqa: ANN401 - any literal
        # hcl2 puts a list around values, and leaves references as they stand.
        if isinstance(value, list) and len(value) == 1:
            return resolved(value[0])
        if isinstance(value, str) and value.startswith("${local."):
            return resolved(found[value.removeprefix("${local.").removesuffix("}")])
        if isinstance(value, dict):
            return {name: resolved(one) for name, one in value.items()}
        return [resolved(one) for one in value] if isinstance(value, list) else value

    return resolved(found["kinds"])


def test_checkov_can_read_every_file(sources: dict[str, str]) -> None:
    for name, text in sources.items():
        assert hcl2.loads(text), name


def test_all_processes_are_there(small: Plan, production: Plan) -> None:
    fleet = {"api", "beat", *WORKERS}
    assert set(services(small)) == fleet
    assert set(services(production)) == fleet | {"flower"}


def test_there_is_one_clock_at_most(plan: Plan) -> None:
    beat = services(plan)["beat"]
    assert (beat["desired_count"], beat["deployment_maximum_percent"]) == (1, 100)
    assert "beat" not in scaled(plan)


def test_a_bad_version_is_taken_back(plan: Plan) -> None:
    for name, service in services(plan).items():
        [breaker] = service["deployment_circuit_breaker"]
        assert breaker == {"enable": True, "rollback": True, **breaker}, name


def test_the_task_that_asks_the_new_version_has_the_key_of_the_api() -> None:
    [found] = hcl2.loads((TERRAFORM / "services.tf").read_text())["locals"]
    [described] = found["described"]
    assert described["init"]["secrets"] == described["api"]["secrets"]


def test_no_task_has_a_public_address(plan: Plan) -> None:
    for name, service in services(plan).items():
        [network] = service["network_configuration"]
        assert network["assign_public_ip"] is False, name


def test_extraction_runs_on_spot_and_the_api_does_not(plan: Plan) -> None:
    providers = {
        name: {
            strategy["capacity_provider"]
            for strategy in service["capacity_provider_strategy"]
            if strategy["weight"]
        }
        for name, service in services(plan).items()
    }
    assert providers["worker-extract"] == {"FARGATE_SPOT"}
    assert providers["api"] == {"FARGATE"}


def test_the_api_has_two_to_ten_tasks_by_cpu_and_memory(production: Plan) -> None:
    assert scaled(production)["api"] == (2, 10)
    targets = {}
    for policy in production.of("aws_appautoscaling_policy"):
        for tracking in policy.values["target_tracking_scaling_policy_configuration"]:
            for metric in tracking["predefined_metric_specification"]:
                targets[metric["predefined_metric_type"]] = tracking["target_value"]
    assert targets == {
        "ECSServiceAverageCPUUtilization": 70,
        "ECSServiceAverageMemoryUtilization": 80,
    }


def test_workers_follow_the_backlog_of_their_queue(plan: Plan) -> None:
    followed = {}
    for policy in plan.of("aws_appautoscaling_policy"):
        for tracking in policy.values["target_tracking_scaling_policy_configuration"]:
            for metric in tracking["customized_metric_specification"]:
                assert (metric["namespace"], metric["metric_name"]) == (
                    "LightRAGFleet",
                    "BacklogPerTask",
                )
                dimensions = {one["name"]: one["value"] for one in metric["dimensions"]}
                followed[policy.address.split('"')[1]] = dimensions["Queue"]
    scaled_workers = {name: WORKERS[name] for name in scaled(plan) if name in WORKERS}
    assert followed == scaled_workers


def test_the_page_about_services_names_the_numbers_that_are_set() -> None:
    page = (TERRAFORM.parents[1] / "docs/operations/ecs-services.md").read_text()
    [variables] = [
        one["backlog_per_task"]
        for one in hcl2.loads((TERRAFORM / "variables.tf").read_text())["variable"]
        if "backlog_per_task" in one
    ]
    [default] = variables["default"]
    for worker, queue in WORKERS.items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| {worker} |")]
        assert f"more than {default[queue]} " in row


def test_who_has_no_worker_gets_one_when_something_waits(small: Plan) -> None:
    alone = {name for name, (fewest, _) in scaled(small).items() if fewest == 0}
    started = {
        found.address.split('"')[1]
        for found in small.of("aws_cloudwatch_metric_alarm")
        if "from_zero" in found.address
    }
    assert started == alone


def told_of(plan: Plan) -> set[str]:
    """All metrics of our own that alarms and autoscaling look at."""
    names = set()
    for alarm in plan.of("aws_cloudwatch_metric_alarm"):
        asked = [
            alarm.values,
            *(one for query in alarm.values["metric_query"] for one in query["metric"]),
        ]
        names |= {one["metric_name"] for one in asked if one["namespace"] == "LightRAGFleet"}
    return names | {"BacklogPerTask"}


def test_metrics_that_are_looked_at_are_those_that_beat_writes(plan: Plan) -> None:
    written = METRICS.read_text()
    assert {name for name in told_of(plan) if f'"{name}"' not in written} == set()


def health_of(service: dict[str, Any]) -> list[str] | None:
    check = service.get("healthcheck", {})
    return None if check.get("disable") else check.get("test")


def test_commands_and_health_checks_are_those_of_compose() -> None:
    composed = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, kind in kinds().items():
        # The images' own commands stand in no compose file.
        assert composed[name].get("command", ["python", "-m", "api"]) == kind["command"], name
        if test := health_of(composed[name]):
            assert kind["health"]["command"] == test, name

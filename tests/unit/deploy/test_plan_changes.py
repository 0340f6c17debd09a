"""What is applied is what was approved: a plan is known by all that it changes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.ecs.errors import DescriptionError, PlanChangedError
from deploy.ecs.plan_changes import digest_of, read_plan, require_approved

TERRAFORM = Path(__file__).parents[3] / "deploy/terraform"
# What the workflow gives by other ways, or leaves as it is.
GIVEN_OTHERWISE = {"images", "write_passwords", "services_running"}


def change(address: str, *actions: str, mode: str = "managed", **after: Any) -> dict[str, Any]:
    return {
        "address": address,
        "mode": mode,
        "change": {"actions": list(actions), "before": None, "after": after, "after_unknown": {}},
    }


def plan(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes)}


GROUP = change("aws_security_group.a", "create", name="a")
TASK = change("aws_ecs_task_definition.b", "delete", "create", cpu="512")


def test_the_same_changes_in_another_order_are_the_same_plan() -> None:
    require_approved(plan(TASK, GROUP), digest_of(plan(GROUP, TASK)))


def test_what_changes_nothing_does_not_count() -> None:
    still = change("aws_vpc.c", "no-op", cidr="10.0.0.0/16")
    looked = change("data.aws_region.d", "read", mode="data")
    require_approved(plan(GROUP, still, looked), digest_of(plan(GROUP)))


@pytest.mark.parametrize(
    "other",
    [
        plan(GROUP),
        plan(GROUP, TASK, change("aws_rds_cluster.e", "delete")),
        plan(GROUP, change("aws_ecs_task_definition.b", "update", cpu="512")),
        plan(GROUP, change("aws_ecs_task_definition.b", "delete", "create", cpu="1024")),
    ],
    ids=["less", "more", "another action", "another value"],
)
def test_another_plan_is_not_applied(other: dict[str, Any]) -> None:
    with pytest.raises(PlanChangedError, match="Nothing was applied"):
        require_approved(other, digest_of(plan(GROUP, TASK)))


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    with pytest.raises(DescriptionError, match="cannot be read"):
        read_plan(file)
    file.write_text(json.dumps({"resource_changes": []}))
    with pytest.raises(DescriptionError, match="is not what"):
        read_plan(file)


def test_a_workflow_knows_every_variable_that_an_apply_by_hand_knew() -> None:
    # One that is missing would be its default there: another region, no alarms, no roles.
    declared: set[str] = set()
    for file in TERRAFORM.glob("variables*.tf"):
        declared |= set(re.findall(r'^variable "(\w+)"', file.read_text(), re.MULTILINE))
    profiled: set[str] = set()
    for file in TERRAFORM.glob("profiles/*.tfvars"):
        profiled |= set(re.findall(r"^(\w+)\s*=", file.read_text(), re.MULTILINE))
    output = (TERRAFORM / "outputs.tf").read_text().partition('"workflow_variables"')[2]
    told = set(re.findall(r"= var\.(\w+)$", output.partition("\n}\n")[0], re.MULTILINE))
    assert told == declared - profiled - GIVEN_OTHERWISE

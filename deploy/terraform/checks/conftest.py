"""What all checks read: the plans of both profiles, and the sources."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TERRAFORM = Path(__file__).parents[1]
PROFILES = ("small", "production")


@dataclass(frozen=True)
class Resource:
    """One planned resource: what is known before anything is made."""

    address: str
    type: str
    values: dict[str, Any]


def _resources(module: dict[str, Any]) -> Iterator[Resource]:
    for found in module.get("resources", []):
        if found["mode"] == "managed":
            yield Resource(found["address"], found["type"], found.get("values", {}))
    for child in module.get("child_modules", []):
        yield from _resources(child)


@dataclass(frozen=True)
class Plan:
    """All that one profile makes."""

    profile: str
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> list[Resource]:
        """All resources of one type; a check of none would check nothing."""
        found = [resource for resource in self.resources if resource.type == kind]
        assert found, f"{self.profile} plans no {kind}"
        return found

    def one(self, kind: str) -> dict[str, Any]:
        """The values of the only resource of a type."""
        [found] = self.of(kind)
        return found.values


def plan_file(name: str) -> Path:
    """Where `check` left a plan."""
    return Path(os.environ["PLANS"]) / f"{name}.json"  # noqa: TID251 - check hands it over


def read_plan(profile: str) -> Plan:
    """The plan that `check` made of a profile."""
    planned = json.loads(plan_file(profile).read_text())["planned_values"]["root_module"]
    return Plan(profile, tuple(_resources(planned)))


@pytest.fixture(scope="session", params=PROFILES)
def plan(request: pytest.FixtureRequest) -> Plan:
    """Each profile in its turn."""
    return read_plan(request.param)


@pytest.fixture(scope="session")
def small() -> Plan:
    """The profile of a small team."""
    return read_plan("small")


@pytest.fixture(scope="session")
def production() -> Plan:
    """The profile that survives the end of a zone."""
    return read_plan("production")


@pytest.fixture(scope="session")
def sources() -> dict[str, str]:
    """All of our files of Terraform, by their place."""
    files = sorted(TERRAFORM.rglob("*.tf"))
    return {
        str(path.relative_to(TERRAFORM)): path.read_text()
        for path in files
        if ".terraform" not in path.parts
    }

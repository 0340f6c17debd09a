"""A version comes to ECS tier by tier, and goes again where it does not come up."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import boto3
import pytest

from deploy.ecs import run_init, smoke
from deploy.ecs.description import ROLL_ORDER, read_description
from deploy.ecs.errors import (
    DeployError,
    DescriptionError,
    ImageMissingError,
    InitFailedError,
    RollFailedError,
    SmokeFailedError,
    TaskFailedError,
)
from deploy.ecs.images import named
from deploy.ecs.one_off import run_once
from deploy.ecs.roll import roll
from deploy.ecs.rollback import roll_back
from tests.integration.aws.conftest import AT_ONCE, REGION, Installation
from tests.integration.aws.enacted import Enacted

ROOT = Path(__file__).parents[3]


def test_init_ends_with_the_exit_code_of_its_process(
    installation: Installation, enacted: Enacted
) -> None:
    assert run_once(installation.ecs, installation.found, AT_ONCE) == 0
    enacted.exit_code = 2
    assert run_once(installation.ecs, installation.found, AT_ONCE) == 2

    _, asked = enacted.calls[0]
    assert asked["launchType"] == "FARGATE"
    assert asked["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"


def test_the_probe_runs_in_the_network_of_init_with_a_command_of_its_own(
    installation: Installation, enacted: Enacted
) -> None:
    assert run_once(installation.ecs, installation.found, AT_ONCE, ("ragfleet", "health")) == 0
    _, asked = enacted.calls[0]
    (override,) = asked["overrides"]["containerOverrides"]
    assert override == {"name": "init", "command": ["ragfleet", "health"]}


@pytest.mark.parametrize(
    ("module", "error"), [(run_init, InitFailedError), (smoke, SmokeFailedError)]
)
def test_a_task_that_ends_badly_ends_the_deployment(
    installation: Installation,
    enacted: Enacted,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    error: type[DeployError],
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    given = Namespace(deployment=installation.file, at_most_s=60.0)
    module.main(given)
    enacted.exit_code = 1
    with pytest.raises(error, match=r"log group"):
        module.main(given)


def test_nobody_is_asked_by_a_name_that_no_certificate_has(
    installation: Installation, enacted: Enacted
) -> None:
    said = json.loads(installation.file.read_text()) | {"api_url": None}
    installation.file.write_text(json.dumps(said))
    with pytest.raises(DescriptionError, match="variable `domain`"):
        smoke.main(Namespace(deployment=installation.file, at_most_s=60.0))
    assert enacted.calls == []


def test_an_init_that_never_ran_is_no_success(installation: Installation, enacted: Enacted) -> None:
    enacted.exit_code = None
    with pytest.raises(TaskFailedError, match="never ran: CannotPullContainerError"):
        run_once(installation.ecs, installation.found, AT_ONCE)


def test_an_init_that_does_not_end_is_stopped(installation: Installation, enacted: Enacted) -> None:
    # moto's tasks end after four looks.
    hasty = type(AT_ONCE)(every_s=1, at_most_s=2, sleep=lambda _: None)
    with pytest.raises(TaskFailedError, match="not ended after 2 s and was stopped"):
        run_once(installation.ecs, installation.found, hasty)
    assert [action for action, _ in enacted.calls] == ["RunTask", "StopTask"]


def test_services_move_one_after_the_other_those_who_understand_first(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    before = tmp_path / "before.json"
    moved = roll(installation.ecs, installation.found, before, AT_ONCE)

    assert moved == list(ROLL_ORDER)
    assert [asked["service"] for _, asked in enacted.calls] == list(ROLL_ORDER)
    assert installation.runs() == installation.second
    assert json.loads(before.read_text()) == installation.first


def test_what_runs_already_is_left_alone(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    roll(installation.ecs, installation.found, tmp_path / "before.json", AT_ONCE)
    enacted.calls.clear()
    assert roll(installation.ecs, installation.found, tmp_path / "again.json", AT_ONCE) == []
    assert enacted.calls == []


def test_tiers_after_one_that_does_not_come_up_are_not_touched(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    enacted.broken.add(installation.second["worker-prepare"])
    with pytest.raises(RollFailedError, match=r"worker-prepare did not come up .* failed to start"):
        roll(installation.ecs, installation.found, tmp_path / "before.json", AT_ONCE)

    runs = installation.runs()
    moved = {name for name in runs if runs[name] != installation.first[name]}
    assert moved == {"worker-commit", "worker-extract"}
    assert [asked["service"] for _, asked in enacted.calls] == list(ROLL_ORDER[:3])


def test_a_service_that_is_neither_up_nor_taken_back_ends_the_wait(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    enacted.stuck.add(installation.second["worker-commit"])
    with pytest.raises(RollFailedError, match=r"was not up with .* after 6 s"):
        roll(installation.ecs, installation.found, tmp_path / "before.json", AT_ONCE)


def test_what_was_moved_goes_back_the_other_way_round(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    before = tmp_path / "before.json"
    enacted.broken.add(installation.second["beat"])
    with pytest.raises(RollFailedError):
        roll(installation.ecs, installation.found, before, AT_ONCE)
    enacted.calls.clear()

    back = roll_back(installation.ecs, installation.found, before, AT_ONCE)

    # The circuit breaker has put beat back by itself.
    assert back == ["worker-prepare", "worker-extract", "worker-commit"]
    assert [asked["service"] for _, asked in enacted.calls] == back
    assert installation.runs() == installation.first


def test_a_second_attempt_does_not_take_the_first_for_what_ran_before(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    before = tmp_path / "before.json"
    enacted.broken.add(installation.second["api"])
    for _ in range(2):
        with pytest.raises(RollFailedError):
            roll(installation.ecs, installation.found, before, AT_ONCE)
    roll_back(installation.ecs, installation.found, before, AT_ONCE)
    assert installation.runs() == installation.first


def test_one_that_does_not_come_back_does_not_keep_the_others(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    before = tmp_path / "before.json"
    roll(installation.ecs, installation.found, before, AT_ONCE)
    enacted.broken.add(installation.first["flower"])
    with pytest.raises(RollFailedError, match="flower did not come up"):
        roll_back(installation.ecs, installation.found, before, AT_ONCE)
    assert installation.runs() == installation.first | {"flower": installation.second["flower"]}


def test_without_what_ran_before_nothing_is_put_back(
    installation: Installation, enacted: Enacted, tmp_path: Path
) -> None:
    with pytest.raises(DescriptionError, match="cannot be read"):
        roll_back(installation.ecs, installation.found, tmp_path / "none.json", AT_ONCE)
    (tmp_path / "odd.json").write_text("[1]")
    with pytest.raises(DescriptionError, match="is not what"):
        roll_back(installation.ecs, installation.found, tmp_path / "odd.json", AT_ONCE)
    assert enacted.calls == []


def test_a_service_that_terraform_names_and_ecs_lacks_is_said(
    installation: Installation, tmp_path: Path
) -> None:
    installation.ecs.update_service(cluster=installation.cluster, service="flower", desiredCount=0)
    installation.ecs.delete_service(cluster=installation.cluster, service="flower")
    with pytest.raises(RollFailedError, match="no service flower"):
        roll(installation.ecs, installation.found, tmp_path / "before.json", AT_ONCE)


def test_images_are_named_by_digest_and_waited_for(endpoint: str) -> None:
    ecr = boto3.client("ecr")
    url = ecr.create_repository(
        repositoryName="rag/lightrag-fleet-api", imageTagMutability="IMMUTABLE"
    )["repository"]["repositoryUri"]
    looks = 0

    def push(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            ecr.put_image(
                repositoryName="rag/lightrag-fleet-api",
                imageManifest=json.dumps({"schemaVersion": 2, "layers": []}),
                imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
                imageTag="abc",
            )

    patience = type(AT_ONCE)(every_s=1, at_most_s=3, sleep=push)
    assert named(ecr, url, "abc", patience).startswith(f"{url}@sha256:")
    assert looks == 2
    with pytest.raises(ImageMissingError, match=r"no image rag/lightrag-fleet-api:other"):
        named(ecr, url, "other", AT_ONCE)
    ecr.delete_repository(repositoryName="rag/lightrag-fleet-api", force=True)
    ecr.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not what Terraform's output"),
        ('{"region": "eu-central-1"}', "KeyError"),
        (
            '{"region":"","cluster":"","api_url":"","services":{"odd":{}},"init":{}}',
            "KeyError",
        ),
    ],
)
def test_a_description_that_is_not_whole_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "deployment.json"
    file.write_text(text)
    with pytest.raises(DescriptionError, match=words):
        read_description(file)


@pytest.mark.long
def test_the_commands_end_with_a_sentence_and_a_code(
    installation: Installation, endpoint: str, tmp_path: Path
) -> None:
    done = command("roll", "--deployment", str(installation.file), "--at-most-s", "1", cwd=tmp_path)
    # One look a service is too few for the stub's rollouts, which take two.
    assert done.returncode == 1
    assert done.stderr.startswith("roll_failed: worker-commit was not up")
    assert "Traceback" not in done.stderr

    missing = command("run_init", "--deployment", "nowhere.json", cwd=tmp_path)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("deployment_unreadable: nowhere.json cannot be read")


def command(name: str, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", f"deploy.ecs.{name}", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "AWS_DEFAULT_REGION": REGION},  # noqa: TID251 - tests may look
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )

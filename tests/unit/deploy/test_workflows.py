"""What actionlint does not ask of the workflows: pins, permissions, time limits, secrets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".github/workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
LONGEST_MINUTES = 180
# What a job may ask for beside reading the code: by workflow and job.
MAY = {
    ("images.yml", "image"): {"id-token": "write", "attestations": "write"},
    ("deploy.yml", "plan"): {"id-token": "write", "pull-requests": "write"},
    ("deploy.yml", "deploy"): {"id-token": "write"},
}


def loaded(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            yield path.name, name, job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for file, name, job in jobs():
        for step in job["steps"]:
            yield f"{file}: {name}", step


def test_there_are_the_three() -> None:
    assert {path.name for path in WORKFLOWS} == {"ci.yml", "images.yml", "deploy.yml"}


def test_every_action_is_pinned_by_its_full_sha_with_its_version_beside_it() -> None:
    used = [
        line.strip().removeprefix("- ")
        for path in WORKFLOWS
        for line in path.read_text().splitlines()
        if re.match(r"\s*(- )?uses:", line)
    ]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_one_action_has_one_version() -> None:
    text = "".join(path.read_text() for path in WORKFLOWS)
    versions = {re.sub(r"@.*", "", use): set() for use in re.findall(r"uses: \S+ # \S+", text)}
    for use in re.findall(r"uses: \S+ # \S+", text):
        versions[re.sub(r"@.*", "", use)].add(use)
    assert [name for name, found in versions.items() if len(found) > 1] == []


def test_a_workflow_may_nothing_and_each_job_what_it_needs() -> None:
    for path in WORKFLOWS:
        assert loaded(path)["permissions"] == {}, path.name
    for file, name, job in jobs():
        wanted = {"contents": "read"} | MAY.get((file, name), {})
        assert job["permissions"] == wanted, (file, name)


def test_every_job_ends_by_itself() -> None:
    for file, name, job in jobs():
        minutes = job["timeout-minutes"]
        given = (
            [one["minutes"] for one in job["strategy"]["matrix"]["include"]]
            if (minutes == "${{ matrix.minutes }}")
            else [minutes]
        )
        assert all(0 < one <= LONGEST_MINUTES for one in given), (file, name)


def test_what_changes_an_installation_is_never_cut_off_by_the_next_one() -> None:
    for path in WORKFLOWS:
        concurrency = loaded(path)["concurrency"]
        assert concurrency["group"]
        assert concurrency["cancel-in-progress"] is (path.name == "ci.yml")


def test_no_expression_and_no_secret_gets_into_a_shell() -> None:
    # Whatever stands in an expression would be carried out; a branch may be named `$(…)`.
    assert [where for where, step in steps() if "${{" in step.get("run", "")] == []
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(), path.name


def test_there_is_no_key_of_aws() -> None:
    for where, step in steps():
        if "configure-aws-credentials" in step.get("uses", ""):
            assert set(step["with"]) & {"aws-access-key-id", "aws-secret-access-key"} == set()
            assert step["with"]["role-to-assume"].startswith("${{ vars.AWS_ROLE_"), where


def test_the_token_does_not_stay_in_the_clone() -> None:
    for where, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, where


def test_only_an_approved_environment_applies_and_deploys() -> None:
    for file, name, job in jobs():
        text = str(job)
        if "AWS_ROLE_APPLY" in text or "AWS_ROLE_DEPLOY" in text:
            assert job["environment"] == "production", (file, name)
            assert "github.ref == 'refs/heads/main'" in job["if"]
            assert "github.event_name != 'pull_request'" in job["if"]


def test_a_pull_request_of_a_fork_gets_nothing_of_aws() -> None:
    for file, name, job in jobs():
        on = loaded(FOLDER / file)[True]  # YAML 1.1 reads `on` as true
        if "pull_request" in on and "id-token" in job["permissions"] and "environment" not in job:
            assert "head.repo.full_name == github.repository" in job["if"], (file, name)


def test_nothing_is_pushed_before_it_was_scanned() -> None:
    order = [
        step.get("uses", "").split("@")[0]
        for step in loaded(FOLDER / "images.yml")["jobs"]["image"]["steps"]
    ]
    pushes = [
        index
        for index, step in enumerate(loaded(FOLDER / "images.yml")["jobs"]["image"]["steps"])
        if step.get("with", {}).get("push") is True
    ]
    scan = order.index("aquasecurity/trivy-action")
    assert pushes
    assert all(scan < push for push in pushes)


def test_init_runs_before_services_move_and_a_failure_takes_them_back() -> None:
    job = loaded(FOLDER / "deploy.yml")["jobs"]["deploy"]
    runs = [step.get("run", "") for step in job["steps"]]
    where = {
        name: next(i for i, run in enumerate(runs) if f"deploy.ecs.{name}" in run)
        for name in ("run_init", "roll", "smoke", "rollback")
    }
    apply = next(i for i, run in enumerate(runs) if "terraform apply" in run)
    assert apply < where["run_init"] < where["roll"] < where["smoke"] < where["rollback"]
    assert "!success()" in job["steps"][where["rollback"]]["if"]


def test_only_a_plan_that_was_approved_is_applied() -> None:
    jobs = loaded(FOLDER / "deploy.yml")["jobs"]
    runs = [step.get("run", "") for step in jobs["deploy"]["steps"]]
    compared = next(i for i, run in enumerate(runs) if "--approved" in run)
    (apply,) = (i for i, run in enumerate(runs) if "terraform apply" in run)
    assert "needs.plan.outputs.changes" in jobs["deploy"]["steps"][compared]["env"]["APPROVED"]
    assert compared < apply
    assert runs[apply].endswith('"$RUNNER_TEMP/plan"')
    assert "auto-approve" not in runs[apply]


def test_no_plan_of_a_workflow_looks_at_aws() -> None:
    # The provider would read secrets, which the role of plans may not; and both plans must agree.
    plans = [step["run"] for _, step in steps() if "terraform plan" in step.get("run", "")]
    assert len(plans) == 2
    assert all("-refresh=false" in run for run in plans)


def test_every_command_that_a_workflow_runs_exists() -> None:
    text = "".join(path.read_text() for path in WORKFLOWS)
    for name in set(re.findall(r"-m deploy\.ecs\.(\w+)", text)):
        assert (ROOT / f"deploy/ecs/{name}.py").exists(), name


def test_ci_makes_all_that_every_change_must_pass() -> None:
    wanted = re.findall(r"^make ([a-z-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    (job,) = loaded(FOLDER / "ci.yml")["jobs"].values()
    made = [one["target"] for one in job["strategy"]["matrix"]["include"]]
    assert set(wanted) <= set(made)

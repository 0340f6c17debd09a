"""`scripts/health_check.sh`, where a `docker` of ours says how the containers are."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKER = """#!/bin/sh
case "$*" in
    "compose ps --quiet") echo 0123456789ab ;;
    "compose ps --all --format "*) cat "$ROWS" ;;
    "compose run "*) exit "${ASKED:-0}" ;;
    *) echo "not asked for: $*" >&2; exit 64 ;;
esac
"""
WELL = "api running 0 healthy\ninit exited 0 \nbeat running 0 healthy\nnginx running 0 \n"


def check(folder: Path, rows: str, **variables: str) -> tuple[int, str]:
    docker, told = folder / "docker", folder / "rows"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    told.write_text(rows)
    done = subprocess.run(
        [ROOT / "scripts" / "health_check.sh"],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",  # noqa: TID251 - a child
            "ROWS": str(told),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_it_ends_with_0_while_every_container_is_well(tmp_path: Path) -> None:
    assert check(tmp_path, WELL) == (0, "")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        pytest.param("beat exited 0 ", "beat: exited", id="stopped in peace"),
        pytest.param("beat exited 137 ", "beat: exited", id="killed"),
        pytest.param("init exited 1 ", "init: exited", id="could not make its tables"),
        pytest.param("api restarting 1 ", "api: restarting", id="again and again"),
        pytest.param("api running 0 unhealthy", "api: running, unhealthy", id="sick"),
    ],
)
def test_a_container_that_is_not_well_is_named(tmp_path: Path, row: str, sentence: str) -> None:
    code, said = check(tmp_path, f"{WELL}{row}\n")
    assert code == 1
    assert said == f"error     {sentence}\n"


def test_a_container_that_starts_is_told_and_no_error(tmp_path: Path) -> None:
    assert check(tmp_path, f"{WELL}api running 0 starting\n") == (0, "starting  api\n")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param("1", 1, id="something is wrong"),
        pytest.param("2", 2, id="a setting is wrong"),
        pytest.param("125", 2, id="Docker could not start the command"),
    ],
)
def test_it_ends_as_the_command_within_did(tmp_path: Path, asked: str, code: int) -> None:
    assert check(tmp_path, WELL, ASKED=asked) == (code, "")

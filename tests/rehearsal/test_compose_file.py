"""The shipped images and compose file, really built, run, killed and restarted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.rehearsal.__main__ import NOT_POSSIBLE
from tests.services import not_available

ROOT = Path(__file__).parents[2]
ACTS = [
    "Preparation",
    "Up",
    "Through nginx, with TLS",
    "What nginx answers itself",
    "Every container killed",
    "worker-extract scaled to 3",
    "Rolling restart",
    "docker-compose.monitoring.yml",
    "Down, and up again",
    "scripts/health_check.sh",
    "docker-compose.files.yml",
    "docker-compose.aws.yml",
]


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_the_compose_file_loses_nothing_whatever_is_killed_or_restarted(tmp_path: Path) -> None:
    out = tmp_path / "rehearsal.json"
    done = subprocess.run(
        [sys.executable, "-m", "deploy.rehearsal", "--out", str(out)],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == NOT_POSSIBLE:
        not_available(done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:]
    steps = json.loads(out.read_text())["steps"]
    assert list(dict.fromkeys(step["act"] for step in steps)) == ACTS
    assert [step for step in steps if step["failed"]] == []

"""A workspace comes back from AWS: settings in a file, the rest in Secrets Manager."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ops.migrate.aws_secrets import variables_of
from ops.migrate.errors import SecretUnreadableError
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.conftest import command
from tests.integration.migrate.test_moving_a_folder import receipt_in

SCRIPT = Path(__file__).parents[3] / "scripts/restore_from_aws.py"


@pytest.fixture
def secrets(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Secrets by name: put some in before they are asked for."""
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("secretsmanager")
    made = {
        "rag-api/settings": json.dumps({"POSTGRES_PORT": 6543, "REDIS_HOST": "elasticache"}),
        "rag-api/postgres-password": "of aurora",
    }
    for name, value in made.items():
        client.create_secret(Name=name, SecretString=value)
    yield made
    for name in made:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    client.close()


def test_secrets_are_variables(secrets: dict[str, str]) -> None:
    names = ["rag-api/settings", "POSTGRES_PASSWORD=rag-api/postgres-password"]
    assert variables_of(names) == {
        "POSTGRES_PORT": "6543",
        "REDIS_HOST": "elasticache",
        "POSTGRES_PASSWORD": "of aurora",
    }


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("rag-api/missing", "does not give the secret rag-api/missing: ResourceNotFoundException"),
        ("rag-api/postgres-password", "--secret VARIABLE=rag-api/postgres-password"),
    ],
)
def test_what_is_wrong_with_a_secret_is_said(
    secrets: dict[str, str], secret: str, words: str
) -> None:
    with pytest.raises(SecretUnreadableError, match=words) as refused:
        variables_of([secret])
    assert "of aurora" not in refused.value.detail


def restore(
    aws: dict[str, str], variables: dict[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *words],
        env={**aws, **variables, "TASK_LEASE_S": "5", "PATH": os.defpath, "COLUMNS": "300"},
        cwd=variables["DATA_DIR"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # two migrations of a busy machine
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_it_looks_then_restores(
    stock_folder: Path, aws: dict[str, str], secrets: dict[str, str], tmp_path: Path
) -> None:
    away, here = files_variables(tmp_path / "away"), files_variables(tmp_path / "here")
    (tmp_path / "here").mkdir()
    filled = command(away)(
        "migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "notes"
    )
    assert filled.returncode == 0, filled.stderr
    file = tmp_path / "aws.env"
    file.write_text("USE_EXTERNAL_STORAGE=false\n")
    boto3.client("secretsmanager").update_secret(
        SecretId="rag-api/settings", SecretString=json.dumps({"DATA_DIR": away["DATA_DIR"]})
    )
    words = ("--source-env", str(file), "--secret", "rag-api/settings", "-w", "notes")

    looked = restore(aws, here, *words, "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert "Nothing was written" in looked.stdout
    assert "full_docs" in looked.stdout

    done = restore(aws, here, *words, "--execute")
    assert done.returncode == 0, done.stderr
    assert "read back and is equal" in done.stdout
    assert receipt_in(tmp_path / "here")["from"] == f"settings:{file}"


def test_it_says_what_it_wants_to_know(tmp_path: Path) -> None:
    done = restore({}, {"DATA_DIR": str(tmp_path)}, "--execute")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--source-env" in done.stderr

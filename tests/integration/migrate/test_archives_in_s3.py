"""The commands a person types for an archive in a bucket."""

from pathlib import Path

import pytest

from shared.settings_s3 import S3Settings
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.conftest import Command

pytestmark = pytest.mark.long


@pytest.fixture
def variables(s3: S3Settings, tmp_path: Path) -> dict[str, str]:
    return files_variables(tmp_path / "data") | {
        "S3_REGION": s3.region,
        "S3_ENDPOINT_URL": s3.endpoint_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def test_a_workspace_goes_into_a_bucket_and_comes_back(
    stock_folder: Path, s3: S3Settings, ragfleet: Command
) -> None:
    place = f"archive:s3://{s3.bucket}/moves/stock.ragfleet"
    words = ("migrate", "--from", f"folder:{stock_folder}", "--to", place)

    done = ragfleet(*words)
    assert done.returncode == 0, done.stderr
    assert f"s3://{s3.bucket}/moves/stock.ragfleet holds all of it" in done.stdout
    again = ragfleet(*words)
    assert (again.returncode, "target_not_empty" in again.stderr) == (1, True)
    assert ragfleet(*words, "--verify-only").returncode == 0

    back = ragfleet("migrate", "--from", place, "--to", "settings", "-w", "back")
    assert back.returncode == 0, back.stderr
    assert "3 documents are listed" in back.stdout


def test_what_is_wrong_with_a_bucket_is_said_in_a_sentence(
    stock_folder: Path, s3: S3Settings, ragfleet: Command
) -> None:
    def failure(*words: str) -> str:
        done = ragfleet("migrate", *words)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        return done.stderr

    folder = ("--from", f"folder:{stock_folder}")
    assert "object_store_missing" in failure(*folder, "--to", "archive:s3://nowhere/one")
    missing = failure("--from", f"archive:s3://{s3.bucket}/none", "--to", "settings")
    assert f"There is no s3://{s3.bucket}/none" in missing

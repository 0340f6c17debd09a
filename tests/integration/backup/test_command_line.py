"""What the commands say and end with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.backup.places import DirectoryBackupPlace
from ops.backup.running import back_up
from ops.cli import app
from ops.files_mode import open_resources
from ops.only_process import only_process
from shared.errors import SettingsError
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An installation over files, where nothing is yet."""
    chosen = files_variables(tmp_path / "data")
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return chosen


def ended(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def test_a_workspace_that_is_not_there_is_named_and_the_others_are_backed_up(
    variables: dict[str, str], tmp_path: Path
) -> None:
    words = ("backup", "-w", "nope", "-w", "default", "--to", "here")
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", *words],
        env={"PATH": os.defpath, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("nope: workspace_not_found: There is no workspace nope")
    assert "default-" in done.stdout
    kinds = [path.suffixes for path in sorted((tmp_path / "here").iterdir())]
    assert kinds == [[".ragfleet"], [".receipt", ".json"]]

    assert ended("backup", "list", "--to", "here")[1].split()[-1] == "yes"
    assert ended("backup", "prune", "--to", "here")[1].endswith("0 backups were removed.\n")


def test_nothing_is_no_error(variables: dict[str, str]) -> None:
    assert ended("backup", "list") == (0, "There are none.\n")
    assert ended("backup", "prune", "--dry-run") == (0, "0 backups would be removed.\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("backup", "list", "--to", "http://x"), 2, "is no place"),
        (("backup", "--to", "here", "list"), 2, "write options after"),
        (("backup", "-w", "No!"), 1, "invalid_workspace"),
        (("restore", "latest"), 2, "of which workspace"),
        (("restore", "latest", "-w", "notes"), 1, "backup_not_found"),
        (("restore", "notes-20260101T000000Z.ragfleet"), 1, "backup_not_found"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    variables: dict[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    found = ended(*words)
    assert found[0] == code
    assert said in found[1]


async def test_a_running_system_over_files_must_be_stopped_first(
    variables: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(None, overrides=variables)
    refused = pytest.raises(SettingsError, match=r"in use by another process.*; stop it")
    with only_process(settings.storage.data_dir), refused:
        await back_up(settings, DirectoryBackupPlace(tmp_path / "here"), [])


async def test_one_process_over_files_refuses_a_schedule(variables: dict[str, str]) -> None:
    settings = load_settings(None, overrides={**variables, "BACKUP_SCHEDULE": "0 3 * * *"})
    with pytest.raises(SettingsError, match="BACKUP_SCHEDULE needs servers"):
        async with open_resources(settings):
            pass

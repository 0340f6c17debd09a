"""The script with the name that guides give: the same command by another door."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.engine.shapes import files_variables

SCRIPT = Path(__file__).parents[3] / "scripts/migrate_to_external_storage.py"


@pytest.mark.parametrize(
    ("word", "said"), [("--dry-run", "Nothing was written"), ("--execute", "read back")]
)
def test_it_looks_or_copies(stock_folder: Path, tmp_path: Path, word: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, word, "--source-dir", stock_folder, "-w", "moved"],
        env={**files_variables(tmp_path / "data"), "PATH": os.defpath, "COLUMNS": "200"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout

"""Prometheus's own checker, where `make` could get it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services import not_available

Promtool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Run promtool with some arguments."""
    path = Path(sys.executable).parent / "promtool"
    found = str(path) if path.exists() else shutil.which("promtool")
    if found is None:
        not_available("promtool is not here; `make promtool` gets it where it can")

    def run(*arguments: str | Path, said: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [found, *map(str, arguments)], capture_output=True, text=True, check=False, input=said
        )

    return run

"""Fixtures every level may use: real servers, started once a session."""

import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.services", "tests.aws"]


@pytest.fixture(autouse=True)
def _own_umask() -> Iterator[None]:
    """Commands that write what nobody else may read change it, and end; a test goes on."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)

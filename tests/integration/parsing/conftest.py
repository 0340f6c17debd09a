"""Makes the hostile parse functions importable, here and in the pool's children."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.parsing import ParserPool

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    opened = ParserPool(workers=1, timeout_s=60, memory_bytes=1536 * 1024 * 1024)
    yield opened
    opened.close()

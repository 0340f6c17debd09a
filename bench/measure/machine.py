"""What the figures were measured on, and with what."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("lightrag-fleet", "lightrag-hku", "celery", "fastapi", "openai", "neo4j", "redis")
_GIBIBYTE = 1024**3


def machine() -> dict[str, Any]:
    """Describe the machine."""
    processor = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": processor.group(1) if processor else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / _GIBIBYTE, 1),
        "kernel": platform.release(),
        "load_at_start": [round(load, 2) for load in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """Return the versions of what is compared, and of what both stand on."""
    commit = _git("describe", "--always")
    # A run writes its pages after every case: they alone do not make the tree another one.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!docs/benchmarks")
    found = {name: version(name) for name in _PACKAGES}
    commit = f"{commit}-dirty" if changed else commit
    return {"python": platform.python_version(), **found, "commit": commit}


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", *words],  # noqa: S607 - the developer's own git
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()

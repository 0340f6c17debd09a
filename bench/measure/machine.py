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
    root = Path(__file__).parents[2]
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - the developer's own git
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **found, "commit": described.stdout.strip()}

"""docs/doctor.md explains every check of `ragfleet doctor`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"doctor\.[a-z0-9_]+")


def test_every_code_is_explained_and_no_other() -> None:
    sources = (ROOT / "ops/doctor").rglob("*.py")
    used = {
        code for path in sources for code in re.findall(r'"(doctor\.[a-z0-9_]+)"', path.read_text())
    }
    explained = set(CODE.findall((ROOT / "docs/doctor.md").read_text().replace("doctor.md", "")))
    assert explained == used

"""Bills of materials name every package of an image, and no licence that we do not ship."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "scripts"))
import sbom  # noqa: E402 - a script, run by its path


@pytest.mark.parametrize("image", ["api", "worker"])
def test_every_package_of_an_image_may_be_shipped(image: str, tmp_path: Path) -> None:
    name = f"lightrag-fleet-{image}"
    requirements = ROOT / f"requirements/{image}.txt"
    command = [
        sys.executable,
        str(ROOT / "scripts/sbom.py"),
        name,
        str(requirements),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bill = json.loads((tmp_path / f"{name}.cdx.json").read_text())
    listed = {component["name"] for component in bill["components"]}
    # What Windows or an older 3.11 needs is pinned, too, and not installed everywhere.
    assert set(sbom.pinned(requirements)) - listed <= {"async-timeout", "colorama", "tzdata"}
    assert {"lightrag-hku", "redis"} <= listed


@pytest.mark.parametrize(
    "licence",
    ["", "GPL-3.0-only", "AGPL-3.0-or-later", "GNU General Public License v3 (GPLv3)", "GPLv2"],
)
def test_what_may_not_be_shipped_is_refused(licence: str) -> None:
    assert sbom.is_refused(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "LGPL-3.0-or-later",
        "GNU Library or Lesser General Public License (LGPL)",
        "Apache-2.0 OR GPL-2.0-only",
        "Mozilla Public License 2.0 (MPL 2.0)",
    ],
)
def test_what_may_be_shipped_is_not(licence: str) -> None:
    assert not sbom.is_refused(licence)


def test_equal_packages_make_equal_bills() -> None:
    first = sbom.bill("i", {"b": ("2", "MIT"), "a": ("1", "MIT")})
    assert first == sbom.bill("i", {"a": ("1", "MIT"), "b": ("2", "MIT")})

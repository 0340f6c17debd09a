"""The files of a run: JSON, table and picture, written anew after every case."""

import json
from pathlib import Path
from typing import Any

from bench.report.plot import plot
from bench.report.table import markdown

FAILED = {"error": ""}


class Page:
    """What a run leaves in a folder, under one name."""

    def __init__(self, folder: Path, stem: str, *, keeps: bool) -> None:
        """Read what is there.

        Args:
            folder: made if it is not there.
            stem: the files' name without what follows the dot.
            keeps: whether the cases of the JSON that is there stay, unless measured anew.
        """
        self.path = folder / f"{stem}.json"
        self.failed: list[str] = []
        """The cases of this run that failed."""
        there = keeps and self.path.exists()
        self._kept: dict[str, Any] = json.loads(self.path.read_text())["cases"] if there else {}

    def write(self, result: dict[str, Any]) -> None:
        """Write everything measured so far; a case that failed takes no kept figures away."""
        found: dict[str, Any] = result["cases"]
        self.failed = [name for name, case in found.items() if "error" in case]
        worse = {name for name in self.failed if "error" not in self._kept.get(name, FAILED)}
        new = {name: case for name, case in found.items() if name not in worse}
        page = result | {"cases": self._kept | new}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        picture = self.path.with_suffix(".svg")
        self.path.write_text(json.dumps(page, indent=1) + "\n")
        text = f"{markdown(page)}\n![chunks a second]({picture.name})\n"
        self.path.with_suffix(".md").write_text(text)
        picture.write_text(plot(page))

"""The files of a run stay whole, whatever happens to its cases."""

import json
from pathlib import Path
from typing import Any

from bench.report.page import Page

HEAD: dict[str, Any] = {
    "started_at": "2026-11-24T06:00:00+00:00",
    "machine": {"cpu": "a CPU", "cores": 2, "memory_gib": 24.0, "kernel": "6.1"},
    "versions": {"commit": "abc", "lightrag-hku": "1.5.7"},
    "settings": {"graph": "Neo4JStorage"},
}
FAILED = {"error": "it broke"}


def a_case(figure: float) -> dict[str, Any]:
    return {"runs": [], "speedup": figure}


def cases_after(folder: Path, cases: dict[str, Any], *, keeps: bool) -> dict[str, Any]:
    page = Page(folder, "full", keeps=keeps)
    page.write(HEAD | {"cases": cases})
    found: dict[str, Any] = json.loads(page.path.read_text())["cases"]
    return found


def test_a_page_is_three_files_with_every_case_so_far(tmp_path: Path) -> None:
    assert cases_after(tmp_path / "new", {"scaling": a_case(1)}, keeps=False) == {
        "scaling": a_case(1)
    }
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "full.json",
        "full.md",
        "full.svg",
    }


def test_the_cases_that_were_there_stay_when_asked(tmp_path: Path) -> None:
    cases_after(tmp_path, {"scaling": a_case(1), "queries": a_case(2)}, keeps=False)
    assert cases_after(tmp_path, {"queries": a_case(3)}, keeps=True) == {
        "scaling": a_case(1),
        "queries": a_case(3),
    }
    assert cases_after(tmp_path, {"queries": a_case(4)}, keeps=False) == {"queries": a_case(4)}


def test_a_case_that_failed_takes_no_figures_away_and_is_named(tmp_path: Path) -> None:
    cases_after(tmp_path, {"scaling": a_case(1)}, keeps=False)
    page = Page(tmp_path, "full", keeps=True)
    page.write(HEAD | {"cases": {"scaling": FAILED, "queries": FAILED}})
    assert page.failed == ["scaling", "queries"]
    assert json.loads(page.path.read_text())["cases"] == {"scaling": a_case(1), "queries": FAILED}

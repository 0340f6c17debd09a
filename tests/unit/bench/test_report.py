"""The table and the picture say what the JSON says."""

from typing import Any
from xml.etree import ElementTree as ET

from bench.report.plot import plot
from bench.report.table import markdown


def run(system: str, speed: float, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "system": system,
        "settings": settings,
        "documents": 10,
        "chunks_per_s": speed,
        "documents_per_hour": speed * 900,
        "wall_s": 12.5,
        "llm_bound_ratio": 1.1,
        "cpu_s": {"worker": 3.0, "api": 1.0, "postgres": 2.0, "stub": 0.5, "harness": 0.25},
        "others_cpu_s": 0.3,
        "peak_rss_mib": {"worker": 300.0, "api": 200.0, "postgres": 900.0},
    }


STOCK = {"max_async": 16, "max_parallel_insert": 4, "embedding_batch": 10}
RESULT: dict[str, Any] = {
    "started_at": "2026-11-24T06:00:00+00:00",
    "machine": {"cpu": "a CPU", "cores": 2, "memory_gib": 24.0, "kernel": "6.1"},
    "versions": {"commit": "abc", "lightrag-hku": "1.5.7"},
    "settings": {"graph": "Neo4JStorage"},
    "cases": {
        "many_calls": {
            "runs": [
                run("lightrag-fleet", 40.0, {"workers": [["extract", 2]]}),
                run("lightrag-server", 4.0, STOCK),
            ],
            "speedup": 10.0,
        },
        "scaling": {"runs": [], "efficiency": {"1": 1.0, "8": 0.95}},
        "queries": {"error": "it broke"},
    },
}


def test_the_table_has_a_row_for_each_run_and_each_figure() -> None:
    page = markdown(RESULT)
    assert (
        "| many_calls | lightrag-fleet | 2 × extract | 10 | 40.0 | 36000.0 | 12.5 | 1.1 "
        "| 4.0 | 2.0 | 0.8 | 0.3 | 300.0 |"
    ) in page
    assert "MAX_ASYNC 16, MAX_PARALLEL_INSERT 4, EMBEDDING_BATCH_NUM 10" in page
    assert "| many_calls: speedup | 10.0 |" in page
    assert "| scaling: efficiency | 1: 1.0, 8: 0.95 |" in page
    assert "| queries: failed | it broke |" in page


def test_the_picture_has_a_bar_for_each_system_as_long_as_its_speed() -> None:
    picture = ET.fromstring(plot(RESULT))  # noqa: S314 - our own
    name = "{http://www.w3.org/2000/svg}rect"
    bars = [one for one in picture.iter(name) if one.get("height") == "16"]
    widths = [float(bar.get("width", 0)) for bar in bars]
    assert len(widths) == 2
    assert widths[0] == 10 * widths[1]


def test_a_move_has_a_row_and_what_was_not_reached_is_blank() -> None:
    moved = {"items": 10, "megabytes": 1.5, "look_s": 1.0, "copy_s": 2.0, "verify_s": None}
    cases = {"migration": {"moves": {"files → servers": {**moved, "error": "not done"}}}}
    page = markdown(RESULT | {"cases": cases})
    assert "| files → servers | 10 | 1.5 | 1.0 | 2.0 |  |  |  |  | not done |" in page
    assert "| move |" not in markdown(RESULT)

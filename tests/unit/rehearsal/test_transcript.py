"""The transcript of the compose rehearsal."""

import json
from pathlib import Path

import pytest

from deploy.rehearsal.transcript import Transcript, page

ROOT = Path(__file__).parents[3]


def test_a_step_is_told_with_what_was_seen(tmp_path: Path) -> None:
    transcript = Transcript({"engine": "Docker 1"})
    with transcript.step("Up", "`docker compose up`") as entry:
        entry.seen["containers"] = 3
    transcript.write(tmp_path / "told.json")
    told = (tmp_path / "told.md").read_text()
    assert "- engine: Docker 1\n" in told
    assert "## Up\n" in told
    assert "| `docker compose up` |" in told
    assert "containers: 3 |" in told


def test_a_step_that_fails_is_told_as_failed(tmp_path: Path) -> None:
    transcript = Transcript({})
    with pytest.raises(ValueError, match="no"), transcript.step("Up", "nothing"):
        raise ValueError("no\nsecond line")
    transcript.write(tmp_path / "told.json")
    assert (
        json.loads((tmp_path / "told.json").read_text())["steps"][0]["failed"] == "no\nsecond line"
    )
    assert "**failed**: no |" in (tmp_path / "told.md").read_text()


def test_the_committed_page_says_what_its_json_says() -> None:
    told = ROOT / "docs" / "operations" / "rehearsal.json"
    content = json.loads(told.read_text())
    assert told.with_suffix(".md").read_text() == page(content)
    assert [step["what"] for step in content["steps"] if step["failed"]] == []

"""The same questions find the same on both sides, and the receipt says how to go on."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from ops.migrate.folder.source import FolderSource
from ops.migrate.sampling import ask_both
from ops.migrate.source import ArchiveSource
from shared.ids import WorkspaceName
from shared.settings import load_settings
from tests.integration.migrate.here import Here
from tests.integration.migrate.test_faults import into
from tests.integration.migrate.test_moving_a_folder import receipt_in

NAME = WorkspaceName("notes")


@pytest.mark.parametrize("variables", ["valkey", "files"], indirect=True)
async def test_questions_and_settings_come_with_the_receipt(
    stock_folder: Path, variables: dict[str, str], ragfleet_here: Here, own_environment: None
) -> None:
    done = await asyncio.to_thread(ragfleet_here, *into(stock_folder))
    assert done.returncode == 0, done.stderr

    receipt = receipt_in(Path(variables["DATA_DIR"]))
    asked = receipt["asked"]
    assert asked["answers"] == asked["equal"] == 12
    assert "12 of 12 contexts are the same" in done.stdout
    external = variables["USE_EXTERNAL_STORAGE"]
    assert receipt["fleet"]["USE_EXTERNAL_STORAGE"] == external
    assert receipt["stock"]["WORKSPACE"] == "notes"
    assert f"USE_EXTERNAL_STORAGE={external}" in done.stdout
    for name, secret in variables.items():
        if name.endswith("PASSWORD"):
            assert secret not in json.dumps(receipt) + done.stdout

    # Another source is no longer what was copied: the answers tell.
    changed = Path(variables["DATA_DIR"]) / "changed"
    shutil.copytree(stock_folder, changed)
    for file in changed.glob("kv_store_text_chunks.json"):
        file.write_text(file.read_text().replace("Armstrong", "Aldrin"))
    graph = changed / "graph_chunk_entity_relation.graphml"
    graph.write_text(graph.read_text().replace("Armstrong", "Legstrong"))
    settings = load_settings(None, overrides=variables)
    compared = await ask_both(FolderSource(changed), settings, NAME)
    assert not compared.is_good
    assert compared.equal < compared.answers


async def test_what_answers_no_questions_is_said(tmp_path: Path) -> None:
    settings = load_settings(None, overrides={"DATA_DIR": str(tmp_path)})

    asked = await ask_both(ArchiveSource(tmp_path / "a"), settings, NAME)
    assert str(asked) == "No questions were asked on both sides: an archive answers none."
    (tmp_path / "vdb_chunks.json").write_bytes(b"")
    with (tmp_path / "kv_store_full_docs.json").open("wb") as file:
        file.truncate(200_000_001)
    asked = await ask_both(FolderSource(tmp_path), settings, NAME)
    assert "the limit is" in asked.skipped

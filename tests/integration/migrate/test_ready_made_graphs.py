"""A graph that LightRAG was given ready-made has chunks but no documents; it moves as well."""

from pathlib import Path

import pytest
from lightrag.kg.shared_storage import finalize_share_data

from ops.migrate.folder.source import FolderSource
from shared.ids import PhysicalWorkspace
from shared.rag.engine import build_rag
from shared.rag.environment import publish_environment
from shared.rag.models import open_models
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.conftest import Command
from tests.integration.migrate.test_moving_a_folder import items_of

_SAID = "Ada Lovelace worked with Charles Babbage."
_SOURCE = {"source_id": "notes", "file_path": "notes.txt"}
_ONE = {"entity_name": "Ada Lovelace", "entity_type": "person", "description": "A writer."}
_TWO = {"entity_name": "Charles Babbage", "entity_type": "person", "description": "An engineer."}
_GRAPH = {
    "chunks": [{"content": _SAID, **_SOURCE}],
    "entities": [_ONE | _SOURCE, _TWO | _SOURCE],
    "relationships": [
        {
            "src_id": "Ada Lovelace",
            "tgt_id": "Charles Babbage",
            "description": _SAID,
            "keywords": "work",
            "weight": 1.0,
            **_SOURCE,
        }
    ],
}


async def insert_ready_made(folder: Path) -> None:
    settings = load_settings(None, overrides=files_variables(folder))
    publish_environment(settings)
    rag = build_rag(settings, open_models(settings), workspace=PhysicalWorkspace(""))
    await rag.initialize_storages()
    await rag.ainsert_custom_kg(_GRAPH)
    await rag.finalize_storages()
    # LightRAG keeps what it read of files by the workspace's name alone.
    finalize_share_data()


@pytest.mark.parametrize("variables", ["valkey"], indirect=True)
async def test_a_graph_without_documents_moves_there_and_back(
    ragfleet: Command, tmp_path: Path
) -> None:
    await insert_ready_made(tmp_path / "stock")
    folder, back = tmp_path / "stock" / "rag", tmp_path / "back"

    done = ragfleet("migrate", "--from", f"folder:{folder}", "--to", "settings", "-w", "made")
    assert done.returncode == 0, done.stdout + done.stderr
    words = ("--from", "settings", "--source-workspace", "made", "--to", f"folder:{back}")
    done = ragfleet("migrate", *words)
    assert done.returncode == 0, done.stdout + done.stderr

    before = await items_of(FolderSource.in_folder(folder, ""))
    assert before["text_chunks"]
    assert await items_of(FolderSource.in_folder(back, "")) == before

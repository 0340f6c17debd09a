"""What does not belong together in the stores is found by its own check, and mended where safe."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from neo4j import AsyncDriver, AsyncGraphDatabase

from ops.doctor.contents import reading
from ops.doctor.contents.questions import QUESTIONS
from ops.only_process import only_process
from shared.errors import SettingsError
from shared.ids import DEFAULT_WORKSPACE
from tests.integration.doctor.faults import CHUNK, ENTITY, FAULTS, Fault
from tests.integration.doctor.filled import VECTORS, Copied
from tests.integration.engine.shapes import open_fleet
from tests.services import Neo4jServer

SHAPES = [
    "valkey",
    pytest.param("postgres", marks=pytest.mark.long),
    pytest.param("neo4j", marks=pytest.mark.long),
    "files",
]
CODES = [one.code for one in QUESTIONS]
# Of each kind of answer one; the others are as fast, and many.
QUICK = {"an entity without a vector", "a lost chunk", "a commit that was left"}


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_filled_installation_is_fine(copied: Copied) -> None:
    assert await copied.wrong() == {}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=[] if fault.name in QUICK else pytest.mark.long, id=fault.name)
        for fault in FAULTS
    ],
)
async def test_a_fault_is_found_by_its_own_check_alone(fault: Fault, copied: Copied) -> None:
    before = await copied.vectors(), await copied.anchors()
    await fault.spoil(copied)

    assert set(await copied.wrong()) == {fault.found}
    if not fault.repairable:
        return
    _, repairs = await copied.examine(may_repair=True)
    assert len(repairs) == 1
    assert "not repaired" not in repairs[0]
    assert await copied.wrong() == {}
    assert (await copied.vectors(), await copied.anchors()) == before


async def test_a_commit_in_between_is_no_fault(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    read = reading.read_postgres
    async with open_fleet(copied.variables) as fleet:
        ours = replace(fleet, workspace=DEFAULT_WORKSPACE)

        async def read_later(*arguments: Any) -> None:
            # Texts were read from Redis already, and what follows is in PostgreSQL.
            if not looks:
                await ours.upload("new", "Ada Lovelace wrote to Charles Babbage in London.")
                await ours.run_until_quiet()
            looks.append("look")
            await read(*arguments)

        monkeypatch.setattr(reading, "read_postgres", read_later)
        found, _ = await copied.examine()

    contents = [one for one in found if one.code in CODES]
    assert [one.status for one in contents] == ["ok"] * len(CODES)
    assert len(looks) == 2


@pytest.mark.parametrize(
    ("lost", "also"), [("texts of chunks", {"doctor.missing_chunks"}), ("the graph", set())]
)
async def test_a_vector_whose_owner_is_lost_is_kept(
    copied: Copied, lost: str, also: set[str]
) -> None:
    """Redis evicted, or settings name a server without data; the repair has something to mend."""
    before = await copied.vectors()
    if lost == "the graph":
        await copied.sql(
            "DELETE FROM lightrag_graph_edges",
            "DELETE FROM lightrag_graph_nodes",
            f"DELETE FROM {CHUNK} WHERE id = 'large-chunk-001'",  # noqa: S608
        )
    else:
        await copied.forget_row("text_chunks", "large-chunk-001")
        await copied.sql(f"DELETE FROM {ENTITY} WHERE entity_name = 'Albert Einstein'")  # noqa: S608
    found, repairs = await copied.examine(may_repair=True)

    assert await copied.vectors() == before
    assert "vectors of" in repairs[0]
    assert "removed" not in repairs[0]
    kept = {one.code: one for one in found}["doctor.lost_owners"]
    assert "doctor.redis_eviction" in kept.sentence
    assert not kept.repairable
    assert set(await copied.wrong()) == {"doctor.lost_owners", *also}


@pytest.mark.long  # a lease is waited for
async def test_a_workspace_that_somebody_writes_in_is_left_alone(copied: Copied) -> None:
    await copied.sql(
        f"DELETE FROM {VECTORS.format('chunks')}",  # noqa: S608
        "UPDATE commit_leases SET lease_holder = 'another', lease_until_ms = 9000000000000",
    )
    _, repairs = await copied.examine(may_repair=True)

    assert "not repaired, workspace_busy" in repairs[0]
    assert set(await copied.wrong()) == {"doctor.chunk_vectors"}


@pytest.mark.parametrize("shape", ["files"])
async def test_files_are_mended_too(copied: Copied) -> None:
    folder = Path(copied.variables["DATA_DIR"]) / "rag" / DEFAULT_WORKSPACE
    (folder / "vdb_chunks.json").unlink()
    (folder / "kv_store_full_relations.json").write_text("{}")

    assert set(await copied.wrong()) == {"doctor.chunk_vectors", "doctor.document_anchors"}
    await copied.examine(may_repair=True)
    assert await copied.wrong() == {}


@pytest.mark.parametrize("shape", ["files"])
async def test_files_that_another_process_has_are_not_looked_at(copied: Copied) -> None:
    with (
        only_process(Path(copied.variables["DATA_DIR"])),
        pytest.raises(SettingsError, match="in use by another process"),
    ):
        await copied.examine()


@pytest.mark.parametrize("shape", ["files"])
async def test_a_damaged_file_is_named(copied: Copied) -> None:
    folder = Path(copied.variables["DATA_DIR"]) / "rag" / DEFAULT_WORKSPACE
    file = folder / "graph_chunk_entity_relation.graphml"
    file.write_bytes(file.read_bytes()[:-40])

    wrong = await copied.wrong()
    assert set(wrong) == {"doctor.contents"}
    assert file.name in wrong["doctor.contents"]


_DROP_CONSTRAINT_OF = "DROP CONSTRAINT `{}`"


@pytest.mark.long
@pytest.mark.parametrize("shape", ["neo4j"])
async def test_neo4j_is_looked_at_and_mended(copied: Copied, fresh_neo4j: Neo4jServer) -> None:
    """One test: the graph cannot be copied, and is filled for every test anew."""
    auth = ("neo4j", fresh_neo4j.password)
    async with AsyncGraphDatabase.driver(fresh_neo4j.uri, auth=auth) as driver:
        for kind in ("default", "RagfleetFence"):
            await driver.execute_query(_DROP_CONSTRAINT_OF.format(await _named(driver, kind)))
            assert set(await copied.wrong()) == {"doctor.neo4j_constraint"}
            await copied.examine(may_repair=True)
            assert await copied.wrong() == {}

        await driver.execute_query(_DROP_CONSTRAINT_OF.format(await _named(driver, "default")))
        await driver.execute_query(
            "MATCH (n:default) WITH n LIMIT 1 CREATE (m:default) SET m = properties(n)"
        )
        assert set(await copied.wrong()) == {"doctor.neo4j_constraint", "doctor.duplicates"}
        await copied.examine(may_repair=True)
        assert await copied.wrong() == {}

        await driver.execute_query("MATCH (:default)-[r]->(:default) WITH r LIMIT 1 DELETE r")
        assert set(await copied.wrong()) == {"doctor.orphan_vectors"}
        await copied.examine(may_repair=True)
        assert await copied.wrong() == {}


async def _named(driver: AsyncDriver, label: str) -> str:
    found = await driver.execute_query(
        "SHOW CONSTRAINTS YIELD name, labelsOrTypes WHERE labelsOrTypes = [$label] RETURN name",
        label=label,
    )
    return str(found.records[0]["name"])

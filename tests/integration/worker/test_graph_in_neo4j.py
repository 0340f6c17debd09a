"""The stages over real servers, with the graph in Neo4j: in, asked, replaced, out."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.ids import DocumentId
from shared.ledger.records import TaskState
from shared.rag.neo4j_driver import open_driver
from shared.rag.questions import Question, ask
from shared.settings import Settings, load_settings
from tests.integration.worker.fleet import Fleet
from tests.models import DIM
from tests.services import Neo4jServer, server_variables

CURIE = "Marie Curie discovered radium in Paris. Niels Bohr admired Marie Curie."
BOHR = "Niels Bohr worked in Copenhagen. Niels Bohr met Werner Heisenberg in Copenhagen."


@pytest.fixture
def settings(
    fresh_database: str,
    fresh_valkey: str,
    fresh_neo4j: Neo4jServer,
    tmp_path: Path,
    own_environment: None,
) -> Settings:
    variables = server_variables(fresh_database, fresh_valkey) | fresh_neo4j.variables
    return load_settings(None, overrides=variables | {"DATA_DIR": str(tmp_path)})


@pytest.fixture(autouse=True)
def texts_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every question find all there is: what is tested is whether it is there."""

    async def embed(texts: list[str], *, is_query: bool) -> NDArray[np.float32]:
        return np.full((len(texts), DIM), DIM**-0.5, dtype=np.float32)

    monkeypatch.setattr("tests.models.embed_by_hash", embed)


async def names(fleet: Fleet) -> list[str]:
    settings = fleet.context.settings
    async with open_driver(settings) as driver:
        found = await driver.execute_query(
            f"MATCH (n:{fleet.workspace}) RETURN n.entity_id ORDER BY n.entity_id",
            database_=settings.neo4j.database,
        )
    return [record.value() for record in found.records]


async def cited(fleet: Fleet, text: str) -> set[str]:
    workspace = await fleet.context.ledger.workspaces.get(fleet.workspace)
    async with fleet.context.rags.use(workspace.physical) as rag:
        answer = await ask(rag, Question(text, {"mode": "mix"}))
    return {one["file_path"] for one in answer.references}


@pytest.mark.long
async def test_a_document_goes_in_is_found_and_leaves_only_what_others_say(fleet: Fleet) -> None:
    tasks = [await fleet.upload("curie", CURIE), await fleet.upload("bohr", BOHR)]
    await fleet.run_until_quiet()
    assert [await fleet.state(task) for task in tasks] == [TaskState.SUCCEEDED] * 2
    there = await names(fleet)
    assert {"Marie Curie", "Niels Bohr", "Copenhagen"} <= set(there)
    assert len(there) == len(set(there))
    assert await cited(fleet, "Who discovered radium?") == {"curie.txt", "bohr.txt"}

    documents = fleet.context.ledger.documents
    deletion = await documents.request_delete(fleet.workspace, DocumentId("curie"), request_id=None)
    await fleet.run_until_quiet()
    assert await fleet.state(deletion) is TaskState.SUCCEEDED
    assert "Marie Curie" not in await names(fleet)
    assert "Niels Bohr" in await names(fleet)
    assert await cited(fleet, "Who discovered radium?") == {"bohr.txt"}

"""The life of a document whose graph lies in the Neo4j that `make up GRAPH=neo4j` starts."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from neo4j import GraphDatabase

from tests.acceptance.system import System, Workspace

ADA = (
    "Ada Lovelace worked with Charles Babbage in London. "
    "Charles Babbage designed the Analytical Engine."
)
CURIE = "Marie Curie discovered radium in Paris. Charles Babbage never met Marie Curie."
REPEATED = "CREATE (:default {entity_id: 'Charles Babbage'})"


@pytest.fixture
def workspace(in_neo4j: System) -> Iterator[Workspace]:
    with httpx.Client(base_url=in_neo4j.url, timeout=60) as http:
        yield Workspace(in_neo4j, "default", http)


def rows(system: System, query: str) -> list[Any]:
    password = json.loads((system.data_dir / "secrets.json").read_text())["neo4j_password"]
    port = json.loads((system.data_dir / "run" / "ports.json").read_text())["neo4j"]
    with GraphDatabase.driver(f"bolt://127.0.0.1:{port}", auth=("neo4j", password)) as driver:
        return [record.value() for record in driver.execute_query(query).records]


def entities(system: System) -> list[str]:
    return rows(system, "MATCH (n:default) RETURN n.entity_id")


def test_documents_go_in_are_cited_and_go_away(workspace: Workspace) -> None:
    system = workspace.system
    for doc_id, text in (("ada", ADA), ("curie", CURIE)):
        workspace.read(text, doc_id=doc_id, file_name=f"{doc_id}.txt")
    assert {"Charles Babbage", "Ada Lovelace", "Marie Curie"} <= set(entities(system))
    assert entities(system).count("Charles Babbage") == 1
    for mode in ("local", "mix"):
        assert workspace.cited("Who designed the Analytical Engine?", mode) == ["ada.txt"]

    with pytest.raises(Exception, match="already exists with label `default`"):
        rows(system, REPEATED)

    workspace.delete("ada")
    assert "Ada Lovelace" not in entities(system)
    assert "Charles Babbage" in entities(system)  # the other one speaks of him, too
    assert "ada.txt" not in str(workspace.ask("Who designed the Analytical Engine?"))


def test_neo4j_is_one_of_the_services_and_its_password_is_nowhere(in_neo4j: System) -> None:
    shown = in_neo4j.ragfleet("up", "--status")
    assert "neo4j    ready" in shown
    assert "bolt://127.0.0.1:" in shown
    kept = json.loads((in_neo4j.data_dir / "secrets.json").read_text())["neo4j_password"]
    logs = [*(in_neo4j.data_dir / "logs").iterdir(), in_neo4j.data_dir / "run" / "state.json"]
    assert [path for path in logs if kept in path.read_text(errors="replace")] == []

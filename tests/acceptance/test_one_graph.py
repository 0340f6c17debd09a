"""Both shapes make the same graph of the same documents."""

import httpx

from tests.acceptance.graphs import Graph, read_graph
from tests.acceptance.system import System, Workspace

# They share people and places, so that what is merged counts, not only what is found.
DOCUMENTS = {
    "ada": "Ada Lovelace worked with Charles Babbage in London. Ada Lovelace wrote notes.",
    "engine": "Charles Babbage designed the Analytical Engine in London. It had a mill.",
    "curie": "Marie Curie discovered radium in Paris. Marie Curie visited London.",
    "oath": "刘备与关羽、张飞在桃园结义。诸葛亮辅佐刘备建立蜀汉。",
    "cliffs": "曹操在赤壁败给周瑜。诸葛亮与周瑜在赤壁联手。",
    "mixed": "诸葛亮 is known as Zhuge Liang. Liu Bei visited Zhuge Liang in Longzhong.",
}
# These are merged into the graph and taken out of it again.
PASSING = {"passing": "Charles Babbage met Marie Curie in Rome. 曹操与刘备在许昌煮酒论英雄。"}


def ingest(system: System) -> Graph:
    """Read all documents in the order of their names, which is that of descriptions, too."""
    headers = {"LIGHTRAG-WORKSPACE": "parity"}
    with httpx.Client(base_url=system.url, timeout=60, headers=headers) as http:
        assert http.post("/workspaces", json={"name": "parity"}).status_code == 201
        workspace = Workspace(system, "parity", http)
        for doc_id, text in (PASSING | DOCUMENTS).items():
            workspace.read(text, doc_id=doc_id, file_name=f"{doc_id}.txt")
        workspace.read("Ada Lovelace wrote poems in Rome.", doc_id="ada", file_name="ada.txt")
        workspace.delete("passing")
    return read_graph(system, "parity")


def test_files_and_servers_hold_the_same_entities_and_relations(
    embedded: System, files: System
) -> None:
    on_servers, in_files = ingest(embedded), ingest(files)
    assert len(on_servers.entities) > 12
    assert len(on_servers.relations) > 8
    assert on_servers.entities == in_files.entities
    assert on_servers.relations == in_files.relations

"""Which files LightRAG's storages have in the folder of a workspace."""

from pathlib import Path

from worker.commit.unit_of_work.unit import ROW_STORAGES, STATUS_STORAGE, VECTOR_STORAGES

GRAPH_FILE = "graph_chunk_entity_relation.graphml"
ROW_FILES = {name: f"kv_store_{name}.json" for name in (*ROW_STORAGES, STATUS_STORAGE)}
VECTOR_FILES = {name: f"vdb_{name.removesuffix('_vdb')}.json" for name in VECTOR_STORAGES}

_PATTERNS = ("kv_store_*.json", "vdb_*.json", "graph_*.graphml")


def files_in(folder: Path) -> list[Path]:
    """Return LightRAG's files in a folder; that of another workspace is a folder in it."""
    return sorted(file for pattern in _PATTERNS for file in folder.glob(pattern))

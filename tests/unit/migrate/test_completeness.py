"""A source that lacks a whole part is refused, whichever it is."""

import pytest

from ops.migrate.completeness import require_whole
from ops.migrate.errors import SourceIncompleteError

WHOLE = dict.fromkeys(
    (
        *("full_docs", "text_chunks", "doc_status", "entities", "relations"),
        *("entities_vdb", "relationships_vdb", "chunks_vdb"),
    ),
    3,
)


def test_what_is_whole_is_let_through() -> None:
    require_whole("it", WHOLE)


def test_a_workspace_that_is_empty_or_has_no_graph_yet_is_whole() -> None:
    require_whole("it", {})
    require_whole("it", dict.fromkeys(("full_docs", "doc_status"), 3))  # they failed early
    require_whole("it", {name: 3 for name in WHOLE if "enti" not in name and "rela" not in name})


def test_a_graph_that_was_inserted_ready_made_has_chunks_but_no_documents() -> None:
    require_whole("it", {name: 3 for name in WHOLE if name not in {"full_docs", "doc_status"}})


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_whatever_is_missing_is_named(missing: str) -> None:
    with pytest.raises(SourceIncompleteError, match=rf"no {missing} at all"):
        require_whole("it", {**WHOLE, missing: 0})

"""Sources that lack whole files: what is there says that something else must be."""

from collections.abc import Mapping

from ops.migrate.errors import SourceIncompleteError
from ops.migrate.places import Place
from ops.migrate.sections import ENTITIES, RELATIONS

# LightRAG writes neither of two without the other.
_TWINS = (
    (ENTITIES, "entities_vdb"),
    (RELATIONS, "relationships_vdb"),
    ("text_chunks", "chunks_vdb"),
)
# One without the other, beside chunks: documents that failed early have no chunks, and a graph that
# somebody inserted ready-made has chunks without either.
_OF_DOCUMENTS = ("full_docs", "doc_status")


def require_whole(place: Place | str, counts: Mapping[str, int]) -> None:
    """Refuse a source that has nothing at all where it must have something.

    Args:
        place: what it is called.
        counts: its items by section.

    Raises:
        SourceIncompleteError: a file was left behind, or one of the stores is the wrong one.
    """
    twins = [*_TWINS, _OF_DOCUMENTS] if counts.get("text_chunks") else _TWINS
    pairs = [*twins, *((two, one) for one, two in twins)]
    for there, missing in pairs:
        if counts.get(there) and not counts.get(missing):
            sentence = (
                f"{place} has {counts[there]:,} {there}, but no {missing} at all: a file was left "
                "behind, or a store is not the one that belongs to it."
            )
            raise SourceIncompleteError(sentence)

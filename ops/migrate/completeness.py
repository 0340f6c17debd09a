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
# Of a document that failed early there is no chunk, but of each chunk there is a document.
_NEEDED = (("text_chunks", "full_docs"), ("text_chunks", "doc_status"))


def require_whole(place: Place | str, counts: Mapping[str, int]) -> None:
    """Refuse a source that has nothing at all where it must have something.

    Args:
        place: what it is called.
        counts: its items by section.

    Raises:
        SourceIncompleteError: a file was left behind, or one of the stores is the wrong one.
    """
    pairs = [*_TWINS, *((two, one) for one, two in _TWINS), *_NEEDED]
    for there, missing in pairs:
        if counts.get(there) and not counts.get(missing):
            sentence = (
                f"{place} has {counts[there]:,} {there}, but no {missing} at all: a file was left "
                "behind, or a store is not the one that belongs to it."
            )
            raise SourceIncompleteError(sentence)

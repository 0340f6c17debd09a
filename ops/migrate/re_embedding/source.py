"""A source whose vectors are other ones, of the same texts."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

from ops.migrate.errors import SourceUnreadableError
from ops.migrate.history.items import HistoryItem
from ops.migrate.re_embedding.vector_file import VectorFile
from ops.migrate.source import Source
from worker.commit.operations import Kind, Operation


@dataclass(frozen=True)
class ReEmbeddedSource:
    """See `Source`; every text that has a vector was embedded before."""

    source: Source
    vectors: VectorFile
    embedding_model: str
    """The one that made `vectors`."""
    new_dimension: int

    def dimension(self) -> int | None:
        """Return the length of the new vectors; None: there are none."""
        return None if self.source.dimension() is None else self.new_dimension

    async def operations(self) -> AsyncIterator[Operation]:
        """Give what the source gives, with the new vectors."""
        async for operation in self.source.operations():
            if operation.kind is Kind.PUT_VECTORS:
                vectors = tuple(map(self.vectors.vector, texts_of(operation)))
                yield replace(operation, vectors=vectors)
            else:
                yield operation

    def history(self) -> AsyncIterator[HistoryItem]:
        """Give what the source gives."""
        return self.source.history()

    def fingerprint(self) -> str:
        """Return what changes with the source or the model."""
        parts = (self.source.fingerprint(), self.embedding_model, self.new_dimension)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def texts_of(operation: Operation) -> Iterator[str]:
    """Give the texts whose vectors an operation puts, as LightRAG embeds them.

    Raises:
        SourceUnreadableError: a row does not say what its vector was made from.
    """
    if operation.kind is not Kind.PUT_VECTORS:
        return
    for key, row in operation.rows:
        text = row.get("content")
        if not isinstance(text, str) or not text:
            sentence = f"{key} of {operation.storage} has no text to make a vector from."
            raise SourceUnreadableError(sentence)
        yield text

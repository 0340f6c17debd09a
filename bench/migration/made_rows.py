"""What is in a made-up workspace: names, texts, vectors and who mentions whom, all by numbers."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

DIMENSION = 384
CHUNKS_A_DOCUMENT = 50
_SEED = 5
# Embeddings of texts lie in far fewer dimensions than they have.
_LATENT_DIMENSION = 48
_WORDS = 3000
_POOL_CHARACTERS = 2_000_000
# A hundred entities know one that all of them know.
_HUB_SHARE = 100


@dataclass(frozen=True)
class Size:
    """How much is in a workspace."""

    entities: int
    relations: int
    """At most twice as many as entities."""
    chunks: int

    @property
    def documents(self) -> int:
        """As many as the chunks fill."""
        return -(-self.chunks // CHUNKS_A_DOCUMENT)

    @property
    def items(self) -> int:
        """Everything that LightRAG keeps: each in the graph or as text, tracked, and as vector."""
        return 3 * (self.entities + self.relations + self.chunks) + 4 * self.documents

    def divided(self, divisor: int) -> "Size":
        """Return a smaller workspace."""
        return Size(*(max(10, n // divisor) for n in (self.entities, self.relations, self.chunks)))


@dataclass(frozen=True)
class Made:
    """A workspace whose every item follows from its number."""

    size: Size

    def name(self, entity: int) -> str:
        """Return an entity's name."""
        words = self._words
        return f"{words[entity % _WORDS]} {words[entity * 7 % _WORDS]} {entity}".title()

    def pair(self, relation: int) -> tuple[int, int]:
        """Return the ends of a relation: a neighbour first, a hub later; no pair comes twice."""
        count = self.size.entities
        one = relation % count
        if relation < count:
            return one, (one + 1) % count
        hubs = max(2, count // _HUB_SHARE)
        return one, one % hubs if one > hubs + 2 else one + 2

    def document_of(self, chunk: int) -> str:
        """Return the id of a chunk's document."""
        return f"doc-{chunk // CHUNKS_A_DOCUMENT:032x}"

    def chunk(self, number: int) -> str:
        """Return the id of a chunk; numbers beyond the last begin again."""
        number %= self.size.chunks
        return f"{self.document_of(number)}-chunk-{number % CHUNKS_A_DOCUMENT:03d}"

    def sources(self, number: int) -> list[str]:
        """Return the chunks that mention an entity or relation: one to three."""
        return list({self.chunk(number * 13 + at): None for at in range(1 + number % 3)})

    def text(self, number: int, characters: int) -> str:
        """Return a text."""
        start = number * 7919 % (_POOL_CHARACTERS - characters)
        return self._pool[start : start + characters]

    def vectors(self, count: int, *, seed: int) -> Iterator[NDArray[np.float32]]:
        """Give vectors of unit length, some thousand at a time."""
        spread = np.random.default_rng(_SEED).standard_normal((_LATENT_DIMENSION, DIMENSION))
        generator = np.random.default_rng(seed)
        # Three vectors end where a group of base64's letters does.
        for start in range(0, count, 3000):
            some = min(3000, count - start)
            block = generator.standard_normal((some, _LATENT_DIMENSION)) @ spread
            block += generator.standard_normal(block.shape)
            yield (block / np.linalg.norm(block, axis=1, keepdims=True)).astype("<f4")

    @cached_property
    def _words(self) -> list[str]:
        generator = random.Random(_SEED)
        letters = "aeiourtnslcdmphgb"
        return [
            "".join(generator.choices(letters, k=generator.randint(3, 9))) for _ in range(_WORDS)
        ]

    @cached_property
    def _pool(self) -> str:
        generator = random.Random(_SEED)
        found: list[str] = []
        length = 0
        while length < _POOL_CHARACTERS:
            sentence = " ".join(generator.choices(self._words, k=12)).capitalize() + ". "
            found.append(sentence)
            length += len(sentence)
        return "".join(found)

"""Vectors by hash: texts that share names are near each other, so searches find something."""

import base64
import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.stub.names import names_in

Vector = NDArray[np.float32]

# Every vector is a piece of this noise; a hash says which piece.
_NOISE = np.random.default_rng(20261124).standard_normal(1 << 20).astype(np.float32)
# How much of a vector is the text's own; the rest is its names'.
_OWN_SHARE = 0.4


def embed(text: str, dimension: int) -> Vector:
    """Return the unit vector of a text."""
    total = _piece(text, dimension) * _OWN_SHARE
    # The first name says most: an entity's text begins with its name.
    for position, name in enumerate(names_in(text)):
        total = total + _name_vector(name, dimension) / (1 + position)
    return (total / np.sqrt(total @ total)).astype(np.float32)


@lru_cache(maxsize=16384)
def encoded(text: str, dimension: int) -> str:
    """Return a text's vector as OpenAI's base64 of its numbers."""
    return base64.b64encode(embed(text, dimension).tobytes()).decode()


@lru_cache(maxsize=16384)
def _name_vector(name: str, dimension: int) -> Vector:
    return _piece(name, dimension)


def _piece(text: str, dimension: int) -> Vector:
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    start = number % (len(_NOISE) - dimension)
    piece = _NOISE[start : start + dimension]
    return np.asarray(piece / np.sqrt(piece @ piece), dtype=np.float32)

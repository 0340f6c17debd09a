"""The names in a text: what the stub takes for entities, and what its vectors are made of."""

import re
from functools import lru_cache

MAX_NAMES = 12
# Capitalised words that follow each other are one name; of Chinese, what stands between marks.
_NAME = re.compile(r"\b[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*|(?<![一-鿿])[一-鿿]{2,4}(?![一-鿿])")
# They begin sentences and would be in every document.
_ORDINARY = frozenset(
    "The This That These Those They Then There And But For From With When Where While What Who "
    "His Her Its Our Your She Not Now Some Such Here How Why Yes You All Any One Two".split()
)


@lru_cache(maxsize=8192)
def names_in(text: str) -> dict[str, int]:
    """Return the first names of a text in their order, each with where it stands."""
    found: dict[str, int] = {}
    for match in _NAME.finditer(text):
        name = match.group()
        if name not in found and name not in _ORDINARY:
            found[name] = match.end()
            if len(found) == MAX_NAMES:
                break
    return found

"""Real documents that every test machine has: what installed packages say about themselves.

They are pinned by hash, so they are the same everywhere, and they name one another all the time:
Python, licences, the same authors, the same tools.
"""

from importlib.metadata import distributions

_LEAST_CHARS = 800


def real_documents(count: int, *, chars: int) -> dict[str, str]:
    """Return the first `chars` characters of `count` package descriptions, by document id."""
    found: dict[str, str] = {}
    for distribution in distributions():
        text = str(distribution.metadata.get_payload() or "")
        if len(text) >= _LEAST_CHARS:
            found[distribution.metadata["Name"].lower()] = text[:chars]
    chosen = dict(sorted(found.items())[:count])
    assert len(chosen) == count, f"only {len(chosen)} installed packages describe themselves"
    return chosen

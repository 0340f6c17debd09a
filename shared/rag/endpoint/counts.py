"""How many tokens a call took, as far as what the endpoint says of it can be true."""

# More than any model reads at once; a larger number would end the budget and the accounts.
_MOST_TOKENS = 100_000_000


def told_tokens(reply: dict[str, object], name: str) -> int | None:
    """Read one count of a reply's `usage`; None when it is not told or cannot be."""
    usage = reply.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _MOST_TOKENS:
        return None
    return count

"""LightRAG's own limits on a question, so that ours refuses what its server would refuse."""

from lightrag.constants import (
    MAX_KEYWORD_CHARS,
    MAX_KEYWORDS_PER_LIST,
    MAX_MESSAGE_CHARS,
    MAX_MESSAGES_PER_REQUEST,
    MAX_QUERY_CHARS,
    MAX_QUERY_TOKEN_BUDGET,
    MAX_QUERY_TOP_K,
    MAX_REQUEST_TEXT_CHARS,
    MAX_RESPONSE_TYPE_CHARS,
    MAX_ROLE_CHARS,
)
from lightrag.query_validation import validate_query_not_empty, validate_rag_query

__all__ = [
    "MAX_KEYWORDS_PER_LIST",
    "MAX_KEYWORD_CHARS",
    "MAX_MESSAGES_PER_REQUEST",
    "MAX_MESSAGE_CHARS",
    "MAX_QUERY_CHARS",
    "MAX_QUERY_TOKEN_BUDGET",
    "MAX_QUERY_TOP_K",
    "MAX_REQUEST_TEXT_CHARS",
    "MAX_RESPONSE_TYPE_CHARS",
    "MAX_ROLE_CHARS",
    "require_long_enough",
    "require_text",
]


def require_text(query: str) -> str:
    """Return the query without outer whitespace.

    Raises:
        ValueError: nothing is left of it.
    """
    return str(validate_query_not_empty(query))


def require_long_enough(query: str) -> None:
    """Check that a query has enough characters to look something up with.

    Raises:
        ValueError: fewer than three; a Chinese, Japanese or Korean character counts as two.
    """
    validate_rag_query(query)

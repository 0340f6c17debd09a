"""What a model answers, made harmless before LightRAG reads and keeps it."""

import re

from lightrag.utils import TruncatedResponse, is_truncated_response

# LightRAG asks for at most 100 records, which are a tenth of this. Reading 10 MB would take
# seconds of the loop, and its regular expressions gigabytes.
MAX_REPLY_CHARACTERS = 200_000
# PostgreSQL takes neither; LightRAG takes them out of names and descriptions, but keeps the reply.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def harmless(reply: str) -> str:
    """Return a reply that every store takes; what is too long ends early, like a cut-off one."""
    if len(reply) > MAX_REPLY_CHARACTERS:
        # At the end of a line: half a record would be a wrong one.
        whole = reply.rfind("\n", 0, MAX_REPLY_CHARACTERS)
        return _cut_off(_storable(reply[: whole if whole > 0 else MAX_REPLY_CHARACTERS]))
    if not _UNSTORABLE.search(reply):
        return reply
    cleaned = _storable(reply)
    return _cut_off(cleaned) if is_truncated_response(reply) else cleaned


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("", text)


def _cut_off(text: str) -> str:
    """Mark a reply as LightRAG marks those that hit the model's limit: read, but not cached."""
    marked: str = TruncatedResponse(text)
    return marked

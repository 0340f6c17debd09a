"""Joins several descriptions of one entity or relation into one, without repeating a sentence."""

from shared.rag.offline.prompts import SummaryRequest
from shared.rag.offline.text import is_chinese, sentences, shorten, words

# A description is embedded again whenever its entity is merged, and the time grows with its length:
# 150 tokens cost about a third of what LightRAG's 600 would.
_MAX_TOKENS = 150
# Rough sizes of a token, on the careful side.
_CHARACTERS_PER_TOKEN = 4
_CHINESE_CHARACTERS_PER_TOKEN = 1


def summarise(request: SummaryRequest) -> str:
    """Return the distinct sentences of all descriptions in their order, up to the length limit."""
    chinese = is_chinese("".join(request.descriptions))
    size = _CHINESE_CHARACTERS_PER_TOKEN if chinese else _CHARACTERS_PER_TOKEN
    limit = min(request.max_tokens, _MAX_TOKENS) * size
    separator = "" if chinese else " "
    seen: set[str] = set()
    kept: list[str] = []
    length = 0
    for sentence in (one for text in request.descriptions for one in sentences(text)):
        key = " ".join(words(sentence))
        if key in seen:
            continue
        seen.add(key)
        if kept and length + len(sentence) > limit:
            continue
        kept.append(shorten(sentence, limit))
        length += len(kept[-1]) + len(separator)
    return separator.join(kept)

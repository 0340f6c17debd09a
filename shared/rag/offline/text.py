"""Splits text into sentences and words, and shortens it, in English and Chinese."""

import re

_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE_END = re.compile(
    r"(?<=[。！？])[”’』」）]*|(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\Wa-z_])|[\r\n]+"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Gen|Col|Capt|Lt|Sen|Rep|Gov|No|vs|etc|e\.g|i\.e|cf|ca|c"
    r"|Vol|vol|pp|Fig|approx|Inc|Ltd|Co|Corp)|\b[A-Z])\.$"
)
_ENGLISH_WORD = re.compile(r"[^\W_](?:[\w'’-]*[^\W_])?")
_CHINESE_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
# Everything that LightRAG's record parser might take for a delimiter.
_MARKER = re.compile(r"<\|.*?\|>|[<|>]+|\s+", re.DOTALL)


def is_chinese(text: str) -> bool:
    """Tell whether at least a fifth of the letters are Chinese.

    A fifth, because a Chinese sentence about software is half Latin letters.
    """
    sample = text[:4000]  # enough to tell, and cheap for a long passage
    return len(_CHINESE.findall(sample)) * 5 >= max(len(_LETTER.findall(sample)), 1)


def sentences(text: str) -> list[str]:
    """Split text at sentence ends and line breaks; no sentence is empty."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[start : end.end()]
        if _ABBREVIATION.search(piece.rstrip()) and "\n" not in end[0]:
            continue
        start = end.end()
        if piece.strip():
            found.append(piece.strip())
    if text[start:].strip():
        found.append(text[start:].strip())
    return found


def words(text: str) -> list[str]:
    """Return the comparable units of a text: English word stems and pairs of Chinese characters."""
    found = [stem(word.lower()) for word in _ENGLISH_WORD.findall(_CHINESE_RUN.sub(" ", text))]
    for run in _CHINESE_RUN.findall(text):
        found += [run[at : at + 2] for at in range(len(run) - 1)] or [run]
    return found


def stem(word: str) -> str:
    """Cut the commonest English endings, so that `founded` meets `founder`."""
    word = re.sub(r"['’]s?$", "", word)
    for ending in (
        "ations",
        "ation",
        "ings",
        "ing",
        "ers",
        "ies",
        "ied",
        "ed",
        "er",
        "es",
        "s",
        "e",
        "y",
    ):
        # What is left must still tell words apart.
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            return word[: -len(ending)]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def shorten(text: str, limit: int) -> str:
    """Cut text to `limit` characters at a word or clause end and mark the cut with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = max(head.rfind(mark) for mark in " ，、；：,")
    # A cut in the first half would lose more than a broken word does.
    return (head[:cut] if cut > limit // 2 else head).rstrip(" ，、；：,") + "…"


def excerpt(sentence: str, start: int, end: int, *, limit: int) -> str:
    """Return at most about `limit` characters of a sentence, with `start` to `end` inside."""
    if len(sentence) <= limit or end <= limit:
        return shorten(sentence, max(limit, end + 1))
    begin = max(0, min(start, end - limit // 2) - limit // 4)
    space = sentence.find(" ", begin, start)
    return "…" + shorten(
        sentence[space + 1 if space >= 0 else begin :], max(limit, end - begin + 1)
    )


def without_markers(text: str) -> str:
    """Return text on one line, without anything that reads as a delimiter of LightRAG's records."""
    return _MARKER.sub(" ", text).strip()

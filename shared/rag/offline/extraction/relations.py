"""Relates the names that a sentence mentions together."""

import itertools
import re
from dataclasses import dataclass

from shared.rag.offline.extraction.candidates import Candidate, Place
from shared.rag.offline.extraction.english_words import STOP_WORDS

_WORD = re.compile(r"(?<![\w'’-])[a-z][a-z'’-]{2,}(?!\w)")
_CHINESE_PREDICATE = re.compile(r"[\u4e00-\u9fff]{1,4}")
# More names than these in a sentence are a list: neighbours are enough there.
_MOST_NAMES_PAIRED = 4
_MOST_KEYWORDS = 2
_ENGLISH_KEYWORD = "mentioned together"
_CHINESE_KEYWORD = "同句提及"


@dataclass(frozen=True, slots=True)
class Relation:
    """Two names, the sentence that mentions both, and the words between them."""

    source: str
    target: str
    keywords: str
    first: Place
    last: Place


def relate(candidates: list[Candidate], sentences: list[str], limit: int) -> list[Relation]:
    """Return at most `limit` relations, the ones most often and most closely mentioned first."""
    mentions = sorted((place, one.name) for one in candidates for place in one.places)
    pairs: dict[tuple[str, str], list[tuple[Place, Place]]] = {}
    for _, group in itertools.groupby(mentions, key=lambda one: one[0].sentence):
        for (first, one), (last, other) in _neighbours(list(group)):
            if one != other:
                pairs.setdefault((min(one, other), max(one, other)), []).append((first, last))
    ranked = sorted(pairs.items(), key=lambda item: (-len(item[1]), _gap(item[1][0]), item[0]))
    return [
        Relation(names[0], names[1], _keywords(sentences, *places[0]), *places[0])
        for names, places in ranked[:limit]
    ]


def _neighbours(
    mentions: list[tuple[Place, str]],
) -> list[tuple[tuple[Place, str], tuple[Place, str]]]:
    """Pair all names of a short sentence, and only neighbours in a list of names."""
    if len({name for _, name in mentions}) <= _MOST_NAMES_PAIRED:
        return list(itertools.combinations(mentions, 2))
    return list(itertools.pairwise(mentions))


def _gap(places: tuple[Place, Place]) -> int:
    return places[1].start - places[0].end


def _keywords(sentences: list[str], first: Place, last: Place) -> str:
    """Name a relation by the words between its two names."""
    sentence = sentences[first.sentence]
    between = sentence[first.end : last.start]
    if any("\u4e00" <= character <= "\u9fff" for character in sentence[first.start : last.end]):
        found = _CHINESE_PREDICATE.fullmatch(between)
        return found[0] if found else _CHINESE_KEYWORD
    words = [word for word in _WORD.findall(between) if word not in STOP_WORDS]
    return ", ".join(words[:_MOST_KEYWORDS]) or _ENGLISH_KEYWORD

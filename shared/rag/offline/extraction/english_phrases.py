"""Finds the common nouns and two-word terms that an English passage repeats."""

from collections.abc import Iterator

from shared.rag.offline.extraction.candidates import Candidate, Place
from shared.rag.offline.extraction.english import Token
from shared.rag.offline.extraction.english_words import STOP_WORDS

# A passage of 400 tokens is about few things; more terms would only cost embeddings.
_MOST_TERMS = 4
# What is repeated less is seldom what the passage is about.
_LEAST_WORD_COUNT = 4
_LEAST_PAIR_COUNT = 2
_UNCHANGED_ENDINGS = ("ss", "us", "is", "ics", "ies")
_NO_NOUN_ENDINGS = ("ly", "ed", "ing")


def find_terms(tokens: list[list[Token]]) -> list[Candidate]:
    """Return the most repeated terms of a passage, named in the singular and in title case."""
    found: dict[str, Candidate] = {}
    for number, line in enumerate(tokens):
        for first, last in _spans(line):
            words = [token.text for token in line[first : last + 1]]
            name = " ".join([*words[:-1], _singular(words[-1])]).title()
            place = Place(number, line[first].start, line[last].end)
            found.setdefault(name, Candidate(name, "Concept")).places.append(place)
    repeated = [
        one
        for one in found.values()
        if len(one.places) >= (_LEAST_PAIR_COUNT if " " in one.name else _LEAST_WORD_COUNT)
    ]
    repeated.sort(key=lambda one: (" " not in one.name, -len(one.places), one.name))
    for one in repeated:
        one.bonus = -1.0  # a name that is as frequent says more
    return _without_parts(repeated)[:_MOST_TERMS]


def _spans(line: list[Token]) -> Iterator[tuple[int, int]]:
    """Give first and last token of each possible term."""
    for at, token in enumerate(line):
        if not _is_content(token.text) or token.text.endswith(_NO_NOUN_ENDINGS):
            continue
        yield at, at
        if at and _is_content(line[at - 1].text) and token.start - line[at - 1].end == 1:
            yield at - 1, at


def _is_content(word: str) -> bool:
    return len(word) > 3 and word.isalpha() and word.islower() and word not in STOP_WORDS


def _singular(word: str) -> str:
    if not word.endswith("s") or word.endswith(_UNCHANGED_ENDINGS):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 6 else word
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


def _without_parts(terms: list[Candidate]) -> list[Candidate]:
    """Leave out a single word that is mostly there as part of a longer term."""
    kept: list[Candidate] = []
    for term in terms:
        longer = [one for one in kept if f" {term.name} " in f" {one.name} "]
        if sum(len(one.places) for one in longer) * 2 <= len(term.places):
            kept.append(term)
    return kept

"""Finds people in Chinese text: family names with likely ends, and courtesy names that speak."""

import re
from collections.abc import Iterator

from shared.rag.offline.extraction.candidates import Candidate, Place
from shared.rag.offline.extraction.chinese_names import (
    COMMON_WORDS,
    COMPOUND_FAMILY_NAMES,
    ENDS_BEFORE,
    FAMILY_NAMES,
    NEVER_IN_A_NAME,
    RANK_ENDS,
    STANDS_BEFORE,
)
from shared.rag.offline.extraction.chinese_words import Word

# `玄德曰`, `字玄德，`: classical texts call people by two characters without a family name.
_SPEAKER = re.compile(
    r"(?:^|(?<=[，。！？；：“”、]))([\u4e00-\u9fff]{2})(?=[大笑怒叹泣答问谓急]?曰)"
)
_COURTESY = re.compile(r"(?<=[，、])字([\u4e00-\u9fff]{2})(?=[，。；、])")
# A list of names: `张让、赵忠、郭胜十人`. Even an ordinary word is a name there.
_LISTED = re.compile(r"(?<=、)([\u4e00-\u9fff]{2,3})(?=[、，。；]|[二三四五六七八九十]人|等)")
_NO_SPEAKER_STARTS = frozenset("众诸二一又乃亦遂皆帝忽其左右人三四两或童使小老答叹笑仰回忙急问")
# People matter more to a passage than its places and nouns.
_PERSON_BONUS = 1.0
_PERSON_TAGS = frozenset({"nr", "nrt", "nrfg"})


def find_people(sentences: list[str], words: list[list[Word]]) -> list[Candidate]:
    """Return the people of a passage, one candidate for each name."""
    places: dict[str, list[Place]] = {}
    for number, (sentence, line) in enumerate(zip(sentences, words, strict=True)):
        for start, end in _spans(sentence, line):
            places.setdefault(sentence[start:end], []).append(Place(number, start, end))
        for found in _LISTED.finditer(sentence):
            name = found[1]
            if name[0] in FAMILY_NAMES and name not in places and _fits(name, 1, len(name)):
                places[name] = [Place(number, found.start(1), found.end(1))]
    courtesy = {name for sentence in sentences for name in _courtesy_names(sentence)}
    for name in sorted(courtesy - set(places)):
        places[name] = [
            Place(number, found.start(), found.end())
            for number, sentence in enumerate(sentences)
            for found in re.finditer(name, sentence)
        ]
    return [
        Candidate(name, "Person", found, _PERSON_BONUS)
        for name, found in _settle(places).items()
        if name in courtesy or _is_likely(name, found, sentences)
    ]


def _spans(sentence: str, line: list[Word]) -> Iterator[tuple[int, int]]:
    """Give where each family name with its given name stands."""
    taken = 0
    for at, word in enumerate(line):
        for start in range(word.start, word.end):
            if start < taken or not _may_start(sentence, start, word):
                continue
            end = _end_of_name(sentence, start, line[at:])
            if end:
                taken = end
                yield start, end


def _may_start(sentence: str, start: int, word: Word) -> bool:
    """Tell whether a family name stands here, and not inside a common word."""
    if (
        sentence[start] not in FAMILY_NAMES
        and sentence[start : start + 2] not in COMPOUND_FAMILY_NAMES
    ):
        return False
    if start == word.start:
        return not _is_rank(word.text)
    guessed = not word.known or word.tag in _PERSON_TAGS
    return guessed and sentence[start - 1] in STANDS_BEFORE


def _is_rank(word: str) -> bool:
    """Tell whether a rank and a name are one word in the dictionary: `郎蔡邕`."""
    return len(word) > 2 and word[0] in RANK_ENDS and word[1] in FAMILY_NAMES - COMMON_WORDS


def _end_of_name(sentence: str, start: int, rest: list[Word]) -> int:
    """Return where the name that starts here ends; 0 when none does."""
    word = rest[0]
    compound = sentence[start : start + 2] in COMPOUND_FAMILY_NAMES
    given = start + (2 if compound else 1)
    if word.known and len(word.text) > 1 and word.end != given:
        if word.tag not in _PERSON_TAGS:
            return 0
        if word.start == start and _fits(sentence, given, word.end):
            return word.end
    for length in (1, 2) if compound else (2, 1):
        end = given + length
        if _fits(sentence, given, end) and _ends_well(sentence, end, rest):
            return end
    return 0


def _fits(sentence: str, start: int, end: int) -> bool:
    """Tell whether these characters can be a given name."""
    given = sentence[start:end]
    return (
        1 <= len(given) == end - start <= 2
        and all("\u4e00" <= character <= "\u9fff" for character in given)
        and not any(character in NEVER_IN_A_NAME for character in given)
    )


def _ends_well(sentence: str, end: int, rest: list[Word]) -> bool:
    """Tell whether what follows can follow a name: a sign, a verb, or the start of a known word."""
    following = sentence[end : end + 1]
    if not "\u4e00" <= following <= "\u9fff" or following in ENDS_BEFORE:
        return True
    return any(word.start == end and word.known and len(word.text) > 1 for word in rest[:4])


def _is_likely(name: str, places: list[Place], sentences: list[str]) -> bool:
    """Ask more of a family name that is mostly another word: a rank, a list or two places."""
    if name[0] not in COMMON_WORDS or name[:2] in COMPOUND_FAMILY_NAMES or len(places) > 1:
        return True
    sentence = sentences[places[0].sentence]
    before = sentence[: places[0].start]
    return before.endswith((*RANK_ENDS, "、")) or sentence[places[0].end :].startswith("、")


def _courtesy_names(sentence: str) -> Iterator[str]:
    for found in (*_SPEAKER.finditer(sentence), *_COURTESY.finditer(sentence)):
        name = found[1]
        if name[0] not in _NO_SPEAKER_STARTS and not any(one in NEVER_IN_A_NAME for one in name):
            yield name


def _settle(places: dict[str, list[Place]]) -> dict[str, list[Place]]:
    """Count a longer reading as the shorter name when the shorter one is clearly the usual."""
    settled: dict[str, list[Place]] = {}
    for name, found in sorted(places.items(), key=lambda item: (len(item[0]), item[0])):
        short = name[:-1]
        if len(name) > 2 and len(settled.get(short, [])) >= len(found):
            cut = [Place(one.sentence, one.start, one.end - 1) for one in found]
            settled[short] = sorted([*settled[short], *cut])
        else:
            settled[name] = found
    return settled

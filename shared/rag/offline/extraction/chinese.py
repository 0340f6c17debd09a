"""Finds Chinese names: people, places and organisations, and the nouns a passage repeats."""

from collections.abc import Iterator

from shared.rag.offline.extraction.candidates import Candidate, Place
from shared.rag.offline.extraction.chinese_people import find_people
from shared.rag.offline.extraction.chinese_words import Word, segment

_PLACE_ENDINGS = tuple("州郡县市省镇村乡国江河湖海山岭岛城关港湾寨")
_ORGANISATION_ENDINGS = (
    "大学",
    "学院",
    "公司",
    "集团",
    "银行",
    "医院",
    "法院",
    "政府",
    "委员会",
    "研究院",
    "研究所",
    "协会",
    "学会",
    "基金会",
    "出版社",
    "中心",
    "党",
    "部门",
    "办公室",
    "事务所",
    "工厂",
    "联盟",
)
_NAME_TAGS = {"ns": "Location", "nt": "Organization", "nz": "Concept", "eng": "Concept"}
_TERM_TAGS = frozenset({"n", "vn", "nz", "l"})
# A noun is worth an entity when the passage keeps coming back to it.
_LEAST_TERM_COUNT = 3
_MOST_TERMS = 4


def find_chinese(sentences: list[str]) -> list[Candidate]:
    """Return the names and repeated nouns of a passage."""
    words = [segment(sentence) for sentence in sentences]
    people = find_people(sentences, words)
    taken = {
        (place.sentence, at)
        for one in people
        for place in one.places
        for at in range(place.start, place.end)
    }
    found = {one.name: one for one in people}
    terms: dict[str, Candidate] = {}
    for number, line in enumerate(words):
        for name, entity_type, start in _names(line):
            place = Place(number, start, start + len(name))
            if (number, start) in taken or len(name) < 2:
                continue
            group = terms if entity_type == "" else found
            group.setdefault(name, Candidate(name, entity_type or "Concept")).places.append(place)
    repeated = [
        one
        for one in terms.values()
        if len(one.places) >= _LEAST_TERM_COUNT and one.name not in found
    ]
    repeated.sort(key=lambda one: (-len(one.places), one.name))
    for one in repeated:
        one.bonus = -1.0  # a name that is as frequent says more
    return [*found.values(), *repeated[:_MOST_TERMS]]


def _names(line: list[Word]) -> Iterator[tuple[str, str, int]]:
    """Give name, type and start of each possible name; the type of a common noun is empty."""
    at = 0
    while at < len(line):
        word = line[at]
        following = line[at + 1].text if at + 1 < len(line) else ""
        if word.tag in {"ns", "nr", "nrt", "nz", "nt", "n"} and following.endswith(
            _ORGANISATION_ENDINGS
        ):
            yield word.text + following, "Organization", word.start
            at += 2
            continue
        entity_type = _type_of(word)
        if entity_type is not None:
            yield word.text, entity_type, word.start
        at += 1


def _type_of(word: Word) -> str | None:
    if (
        word.tag.startswith("n")
        and word.text.endswith(_ORGANISATION_ENDINGS)
        and len(word.text) > 3
    ):
        return "Organization"
    if word.tag in {"ns", "nrt"} or (word.tag == "nr" and word.text.endswith(_PLACE_ENDINGS)):
        return "Location"
    if word.tag == "eng" and not (word.text[0].isupper() and len(word.text) > 1):
        return None
    if word.tag in _NAME_TAGS:
        return _NAME_TAGS[word.tag]
    return "" if word.tag in _TERM_TAGS else None

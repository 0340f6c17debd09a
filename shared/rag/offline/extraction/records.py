"""Writes entities and relations as the records that LightRAG parses."""

from shared.rag.offline.extraction.candidates import Candidate, Place, best
from shared.rag.offline.extraction.passage import Passage, read_passage
from shared.rag.offline.extraction.relations import relate
from shared.rag.offline.prompts import ExtractionRequest
from shared.rag.offline.text import excerpt

TUPLE_DELIMITER = "<|#|>"
COMPLETION_DELIMITER = "<|COMPLETE|>"
_OTHER_TYPE = "Other"
# Every entity and relation costs an embedding (20 to 40 ms of CPU; the passage itself 0.9 s). One
# of 1,600 English or 500 Chinese characters gets 14 or 18 entities, and two relations for three.
_LEAST_ENTITIES = 8
_CHARACTERS_PER_ENTITY = 250
_CHINESE_CHARACTERS_PER_ENTITY = 50
_MOST_ENTITIES = 25
# Longer descriptions make every later merge dearer: they are embedded again each time.
_DESCRIPTION_CHARACTERS = 140
_CHINESE_DESCRIPTION_CHARACTERS = 60


def extract(request: ExtractionRequest) -> str:
    """Return the records of a passage, one a line, closed by the completion delimiter."""
    passage = read_passage(request.text)
    entities = best(passage.candidates, _entity_budget(passage, request))
    relation_budget = min(len(entities) * 2 // 3, request.max_rows - len(entities))
    rows = [
        _row(
            "entity",
            one.name,
            one.entity_type if one.entity_type.lower() in request.entity_types else _OTHER_TYPE,
            _describe(passage, *[_telling_place(one, passage)] * 2),
        )
        for one in entities
    ]
    rows += [
        _row(
            "relation",
            one.source,
            one.target,
            one.keywords,
            _describe(passage, one.first, one.last),
        )
        for one in relate(entities, passage.sentences, relation_budget)
    ]
    return "\n".join([*rows, COMPLETION_DELIMITER])


def _entity_budget(passage: Passage, request: ExtractionRequest) -> int:
    size = _CHINESE_CHARACTERS_PER_ENTITY if passage.chinese else _CHARACTERS_PER_ENTITY
    budget = min(_MOST_ENTITIES, _LEAST_ENTITIES + len(request.text) // size)
    return min(budget, request.max_entities, request.max_rows)


def _telling_place(candidate: Candidate, passage: Passage) -> Place:
    """Return the first place in a sentence that says something: a heading only has the name."""
    told = (place for place in candidate.places if passage.sentences[place.sentence][0] != "#")
    return next(told, candidate.places[0])


def _describe(passage: Passage, first: Place, last: Place) -> str:
    limit = _CHINESE_DESCRIPTION_CHARACTERS if passage.chinese else _DESCRIPTION_CHARACTERS
    sentence = passage.sentences[first.sentence]
    return excerpt(sentence, first.start, last.end, limit=limit)


def _row(*fields: str) -> str:
    return TUPLE_DELIMITER.join(fields)

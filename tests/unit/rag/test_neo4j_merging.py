"""What becomes of several copies of one entity, or several relations of one pair."""

from shared.rag.neo4j_merging import merged_entities, merged_relations


def test_copies_of_an_entity_keep_all_they_say_and_nothing_twice() -> None:
    first = {
        "entity_id": "Einstein",
        "entity_type": "person",
        "description": "a physicist<SEP>born in Ulm",
        "source_id": "c1<SEP>c2",
        "file_path": "a.txt",
        "created_at": 20,
    }
    second = first | {"description": "born in Ulm<SEP>a violinist", "source_id": "c3"}
    third = second | {"entity_type": "concept", "created_at": 10, "file_path": "b.txt"}
    assert merged_entities([third, first, second]) == {
        "entity_id": "Einstein",
        "entity_type": "person",
        "description": "born in Ulm<SEP>a violinist<SEP>a physicist",
        "source_id": "c3<SEP>c1<SEP>c2",
        "file_path": "b.txt<SEP>a.txt",
        "created_at": 10,
    }


def test_passages_add_their_weight_once_each() -> None:
    one = {"weight": 1.0, "source_id": "c1", "keywords": "work,physics", "description": "x"}
    same = dict(one)
    newer = {"weight": 2.0, "source_id": "c1<SEP>c2", "keywords": "physics, bern"}
    other = {"weight": 3.0, "source_id": "c9"}
    merged = merged_relations([one, same, newer, other])
    assert merged["weight"] == 5.0
    assert merged["keywords"] == "bern,physics,work"
    assert merged["source_id"] == "c1<SEP>c2<SEP>c9"


def test_what_nobody_says_is_not_invented() -> None:
    assert merged_relations([{}, {}]) == {}
    assert merged_entities([{"entity_id": "a"}, {"entity_id": "a"}]) == {"entity_id": "a"}

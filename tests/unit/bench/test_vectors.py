"""The stub's vectors: the same for the same, near for texts about the same names."""

import base64

import numpy as np

from bench.stub.vectors import embed, encoded

DIMENSION = 384


def test_a_vector_has_length_one_and_is_the_same_each_time() -> None:
    vector = embed("Alron met Bedine.", DIMENSION)
    assert np.isclose(vector @ vector, 1)
    assert np.array_equal(vector, embed("Alron met Bedine.", DIMENSION))


def test_texts_about_the_same_names_are_near_each_other() -> None:
    question = embed("What did Alron tell Bedine?", DIMENSION)
    near = embed("Alron\nAlron met Bedine at the river.", DIMENSION)
    far = embed("Calona\nCalona met Domar at the river.", DIMENSION)
    assert question @ near > 0.5
    assert abs(question @ far) < 0.2


def test_base64_and_list_are_the_same_vector() -> None:
    sent = np.frombuffer(base64.b64decode(encoded("Alron", DIMENSION)), dtype=np.float32)
    assert np.array_equal(sent, embed("Alron", DIMENSION))

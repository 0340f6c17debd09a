"""A form from anybody: however it is cut up and whatever is in it, it is read or refused."""

import unicodedata
from contextlib import suppress
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from api.documents.file_names import FALLBACK_NAME, MAX_CHARS, clean_file_name
from api.documents.form import UploadForm
from shared.errors import InvalidInputError

HEAD = b'--b\r\nContent-Disposition: form-data; name="doc_id"\r\n\r\nmine\r\n--b\r\n'
FILE_HEAD = b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


def read(body: bytes, cuts: list[int]) -> tuple[bytes, UploadForm]:
    form = UploadForm(b"b", max_file_bytes=10_000)
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    pieces = [piece for start, end in pairwise(edges) for piece in form.feed(body[start:end])]
    form.finish()
    return b"".join(pieces), form


@given(content=st.binary(min_size=1, max_size=300), cuts=st.lists(st.integers(0, 1000)))
def test_the_file_is_the_same_however_the_body_is_cut(content: bytes, cuts: list[int]) -> None:
    if b"\r\n--b" in b"\r\n" + content + b"\r\n":
        return  # a client would have chosen another boundary
    body = HEAD + FILE_HEAD + content + b"\r\n--b--\r\n"
    received, form = read(body, cuts)
    assert received == content
    assert (form.doc_id, form.file_name) == ("mine", "a.txt")


@given(head=st.binary(max_size=200), tail=st.binary(max_size=100))
def test_whatever_comes_is_read_or_refused_as_bad_input(head: bytes, tail: bytes) -> None:
    for body in (head, HEAD + head + b"\r\n\r\n" + tail + b"\r\n--b--\r\n"):
        with suppress(InvalidInputError):
            read(body, [])


@given(value=st.binary(max_size=100).filter(lambda value: not set(b"\r\n") & set(value)))
def test_any_disposition_is_read_or_refused_as_bad_input(value: bytes) -> None:
    header = b"Content-Disposition: form-data; name=file; " + value + b"\r\n\r\n"
    try:
        _, form = read(b"--b\r\n" + header + b"x\r\n--b--\r\n", [])
    except InvalidInputError:
        return
    assert form.file_name


@given(sent=st.text(max_size=400))
def test_a_cleaned_name_is_short_printable_and_no_path(sent: str) -> None:
    name = clean_file_name(sent)
    assert 0 < len(name) <= MAX_CHARS
    assert not set(name) & set("/\\")
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs"}
    assert name.strip(". ") or name == FALLBACK_NAME
    assert clean_file_name(name) == name
    name.encode()

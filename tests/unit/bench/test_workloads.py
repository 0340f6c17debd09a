"""The documents are the same each time, and as long as they are said to be."""

from pathlib import Path

from bench.workloads import all_names, articles, books, evenly, folder, library, unevenly
from shared.rag.tokenizer import shared_tokenizer

OVERLAP, CHUNK = 100, 1200


def test_documents_are_the_same_each_time() -> None:
    assert library(20, cast=unevenly(100)) == library(20, cast=unevenly(100))


def test_no_two_documents_have_the_same_text() -> None:
    documents = [*library(60, cast=evenly(5)), *articles(50, cast=evenly(5))]
    assert len({document.text for document in documents}) == len(documents)


def test_names_do_not_repeat() -> None:
    names = list(all_names())
    assert len(names) == len(set(names)) > 3000


def test_a_book_has_as_many_chunks_as_it_should() -> None:
    (book,) = books(1, chunks=20, cast=evenly(150))
    tokens = len(shared_tokenizer().encode(book.text))
    assert -(-(tokens - OVERLAP) // (CHUNK - OVERLAP)) in {20, 21}


def test_an_article_is_one_chunk() -> None:
    for article in articles(20, cast=unevenly(3000)):
        assert len(shared_tokenizer().encode(article.text)) < CHUNK


def test_a_folder_gives_as_much_of_each_kind(tmp_path: Path) -> None:
    for kind in ("letters", "reports"):
        (tmp_path / kind).mkdir()
        for number in range(5):
            (tmp_path / kind / f"{kind}-{number}.txt").write_text(f"{kind} {number}")
    texts = [document.text for document in folder(tmp_path, 4)]
    assert sorted(text.split()[0] for text in texts) == ["letters"] * 2 + ["reports"] * 2

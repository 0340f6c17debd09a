"""Each format's text comes out, with its tables, notes, chapters and attachments."""

import hand_built
import pytest

from worker.parsing.errors import DamagedDocumentError
from worker.parsing.formats import office
from worker.parsing.parse import parse_bytes

RULED_PAGE = (
    hand_built.pdf_text("Before the table")
    + b"1 w\n"
    + b"".join(b"100 %d m 300 %d l S\n" % (y, y) for y in (600, 630, 660))
    + b"".join(b"%d 600 m %d 660 l S\n" % (x, x) for x in (100, 200, 300))
    + hand_built.pdf_text("City", x=110, y=640)
    + hand_built.pdf_text("People", x=210, y=640)
    + hand_built.pdf_text("Wuhan", x=110, y=610)
    + hand_built.pdf_text("12 million", x=210, y=610)
    + hand_built.pdf_text("After the table", y=500)
)
MAIL = b"""From: =?utf-8?b?546L5piO?= <wang@example.org>
To: team@example.org
Subject: Report
Date: Thu, 22 Aug 2024 12:36:23 +0100
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8

The plain body.
--inner
Content-Type: text/html

<p>The HTML body.</p>
--inner--
--outer
Content-Type: text/csv; name=prices.csv
Content-Disposition: attachment; filename=prices.csv

fruit,price
apple,3
--outer
Content-Type: message/rfc822

From: old@example.org
Date: Thu, 22 Aug 2024 12:36:23 +0100
Subject: The forwarded one

Words of the forwarded mail.
--outer
Content-Type: image/png; name=photo.png
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=photo.png

iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB
--outer--
"""


@pytest.mark.parametrize(
    ("content", "expected_format", "expected_words"),
    [
        (hand_built.pdf(hand_built.pdf_text("Hello PDF")), "pdf", "Hello PDF"),
        (hand_built.docx("Hello Word"), "docx", "Hello Word"),
        (hand_built.pptx("A slide", "A note"), "pptx", "A slide"),
        (hand_built.odt("Open words"), "odt", "Open words"),
        (hand_built.xlsx("Prices", [["apple", 3]]), "xlsx", "| apple | 3 |"),
        (hand_built.epub("First chapter"), "epub", "First chapter"),
        (hand_built.ppt("An old slide"), "ppt", "An old slide"),
        (hand_built.msg("A subject", "A body"), "msg", "A body"),
        (rb"{\rtf1\ansi Some rich text.\par}", "rtf", "Some rich text."),
        (b"<!doctype html><p>A page</p>", "html", "A page"),
        (MAIL, "eml", "The plain body."),
        (b"Just words.", "txt", "Just words."),
    ],
)
@pytest.mark.parametrize("file_name", ["right", "wrong.pdf", "wrong.xlsx", "wrong.txt", "x.JPG"])
def test_a_format_is_told_by_content_whatever_the_name(
    content: bytes, expected_format: str, expected_words: str, file_name: str
) -> None:
    document = parse_bytes(content, file_name)

    assert document.format == expected_format
    assert expected_words in document.text


@pytest.mark.parametrize(
    ("file_name", "expected_format"),
    [("a.md", "md"), ("a.json", "json"), ("a.csv", "csv"), ("a.py", "txt"), ("a", "txt")],
)
def test_the_name_separates_kinds_of_plain_text(file_name: str, expected_format: str) -> None:
    assert parse_bytes(b'{"a": 1, "b": 2}', file_name).format == expected_format


def test_a_docx_table_becomes_markdown_rows() -> None:
    text = parse_bytes(
        hand_built.docx("Intro", rows=[["City", "People"], ["Wuhan", "12"]]), ""
    ).text

    assert "| City | People |" in text
    assert "| Wuhan | 12 |" in text


def test_a_docx_that_xberg_refuses_is_read_by_mammoth(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_content: bytes, _format: str) -> str:
        raise DamagedDocumentError

    monkeypatch.setattr(office, "extract", refuse)

    assert parse_bytes(hand_built.docx("Hello Word"), "").text == "Hello Word"


def test_speaker_notes_are_kept() -> None:
    assert "Speaker notes: Said aloud" in parse_bytes(hand_built.pptx("A", "Said aloud"), "").text


def test_a_sheet_has_its_name_as_heading() -> None:
    text = parse_bytes(hand_built.xlsx("Prices", [["fruit", "a|b"], ["apple", 3.0]]), "").text

    assert text == "## Prices\n\n| fruit | a\\|b |\n| --- | --- |\n| apple | 3 |"


def test_a_ruled_pdf_table_becomes_rows_between_the_text_around_it() -> None:
    text = parse_bytes(hand_built.pdf(RULED_PAGE), "").text

    assert text.split("\n\n") == [
        "Before the table",
        "| City | People |\n| --- | --- |\n| Wuhan | 12 million |",
        "After the table",
    ]


@pytest.mark.parametrize("folder", ["", "book/"])
def test_chapters_follow_the_spine(folder: str) -> None:
    assert parse_bytes(hand_built.epub("One", "Two", "Three", folder=folder), "").text == (
        "One\n\nTwo\n\nThree"
    )


def test_a_mail_has_headers_one_body_and_its_attachments() -> None:
    text = parse_bytes(MAIL, "mail.eml").text

    assert "From: 王明 <wang@example.org>" in text
    assert "The plain body." in text
    assert "The HTML body." not in text
    assert "## Attachment: prices.csv\n\n| fruit | price |" in text
    assert "Words of the forwarded mail." in text
    assert "## Attachment: photo.png" in text


def test_notes_that_begin_like_a_mail_are_plain_text() -> None:
    assert parse_bytes(b"From: the beach\nTo: the hills\n\nA walk.", "walk.txt").format == "txt"


def test_a_page_in_a_declared_encoding_is_read_in_it() -> None:
    page = '<html><head><meta charset="gbk"></head><body><p>短文</p></body></html>'.encode("gbk")

    assert parse_bytes(page, "a.html").text == "短文"


def test_five_hundred_thousand_nested_tags_lose_no_text() -> None:
    depth = 500_000
    page = b"<html><body>" + b"<div>" * depth + b"deep words" + b"</div>" * depth + b"<p>after</p>"

    assert parse_bytes(page, "a.html").text == "deep words\nafter"


def test_links_within_a_page_keep_only_their_words() -> None:
    page = b'<html><a href="#x">inside</a> <a href="https://e.org/">outside</a></html>'

    assert parse_bytes(page, "a.html").text == "inside [outside](https://e.org/)"


def test_a_csv_with_semicolons_becomes_a_table() -> None:
    assert parse_bytes(b'a;b\n"x;y";2\n', "a.csv").text == "| a | b |\n| --- | --- |\n| x;y | 2 |"


def test_json_escapes_become_readable() -> None:
    assert parse_bytes(rb'{"city": "\u6b66\u6c49", "raw": "\\u0041"}', "a.json").text == (
        r'{"city": "武汉", "raw": "\\u0041"}'
    )


def test_special_tokens_in_text_pass_unchanged() -> None:
    assert parse_bytes(b"before <|endoftext|> after", "a.txt").text == "before <|endoftext|> after"

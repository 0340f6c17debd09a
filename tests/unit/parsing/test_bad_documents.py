"""Every kind of unreadable file ends in the error that tells a person what to do."""

import io
import random
import zipfile

import hand_built
import pytest

from worker.parsing import errors
from worker.parsing.parse import parse_bytes

EXTENSIONS = [
    "pdf",
    "docx",
    "pptx",
    "odt",
    "rtf",
    "msg",
    "doc",
    "ppt",
    "xlsx",
    "xls",
    "html",
    "epub",
    "eml",
    "csv",
    "json",
    "md",
    "txt",
    "py",
    "xml",
]
GARBAGE = random.Random(7).randbytes(20_000)  # noqa: S311 (the same in each run)
BOMB = b"0" * (300 * 1024 * 1024)


def code_of(content: bytes, file_name: str = "") -> str:
    with pytest.raises(errors.DocumentError) as caught:
        parse_bytes(content, file_name)
    return caught.value.code


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_empty_file_says_so(extension: str) -> None:
    assert code_of(b"", f"a.{extension}") == "empty_file"


@pytest.mark.parametrize("content", [b" \n\t\r\n", "\ufeff \u3000".encode(), b"<html></html>"])
def test_a_file_of_blanks_has_nothing_to_read(content: bytes) -> None:
    assert code_of(content) == "no_text"


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_garbage_under_any_extension_is_damaged(extension: str) -> None:
    assert code_of(GARBAGE, f"a.{extension}") == "damaged_document"


@pytest.mark.parametrize(
    "start", [b"%PDF-1.7\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x00" * 400]
)
def test_garbage_after_a_good_beginning_is_damaged(start: bytes) -> None:
    assert code_of(start + GARBAGE) == "damaged_document"


def test_a_file_of_nuls_is_damaged() -> None:
    assert code_of(bytes(10_000), "a.txt") == "damaged_document"


@pytest.mark.parametrize(
    "content",
    [
        hand_built.docx("Some words " * 50),
        hand_built.xlsx("S", [["words", 1]] * 50),
        hand_built.epub("Some words " * 50),
        hand_built.odt("Some words " * 50),
        hand_built.compound({"WordDocument": bytes(5000)}),
    ],
)
def test_a_truncated_container_is_damaged(content: bytes) -> None:
    assert code_of(content[: len(content) // 2]) == "damaged_document"


def test_a_truncated_pdf_without_pages_is_damaged() -> None:
    assert code_of(hand_built.pdf(hand_built.pdf_text("words"))[:120]) == "damaged_document"


def test_a_scanned_pdf_says_no_text_layer() -> None:
    assert code_of(hand_built.pdf(hand_built.SCANNED_PAGE)) == "no_text_layer"


def test_a_pdf_of_blank_pages_has_nothing_to_read() -> None:
    assert code_of(hand_built.pdf(b"")) == "no_text"


@pytest.mark.parametrize(
    "content",
    [
        hand_built.pdf(hand_built.pdf_text("x"), trailer=hand_built.ENCRYPTED_TRAILER),
        hand_built.compound({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}),
        hand_built.compound({"WordDocument": bytes(10) + b"\x00\x01"}),
        hand_built.compound({"Workbook": b"\x09\x08\x02\x00\x00\x00\x2f\x00\x00\x00"}),
        hand_built.compound(
            {"PowerPoint Document": b"", "Current User": bytes(12) + b"\xdf\xc4\xd1\xf3"}
        ),
        hand_built.odt("x", manifest="<encryption-data/>"),
        hand_built.zipped({"a.txt": "x"})
        .replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
        .replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    ],
    ids=["pdf", "docx", "doc", "xls", "ppt", "odt", "zip"],
)
def test_a_password_is_told_apart_from_damage(content: bytes) -> None:
    assert code_of(content) == "encrypted_document"


@pytest.mark.parametrize(
    ("content", "member"),
    [
        (hand_built.docx("x"), "word/media/a.xml"),
        (hand_built.xlsx("x", [["x"]]), "xl/worksheets/sheet9.xml"),
        (hand_built.epub("x"), "OEBPS/b.xhtml"),
        (hand_built.odt("x"), "Pictures/a"),
    ],
    ids=["docx", "xlsx", "epub", "odt"],
)
def test_a_zip_bomb_is_refused_before_it_is_unpacked(content: bytes, member: str) -> None:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, BOMB)

    assert code_of(buffer.getvalue()) == "decompression_bomb"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + GARBAGE,
        b"\x1f\x8b\x08\x00" + GARBAGE,
        hand_built.zipped({"a.txt": "plain files in a zip"}),
        hand_built.compound({"Other": b"x"}),
    ],
)
def test_kinds_that_are_not_read_say_so(content: bytes) -> None:
    assert code_of(content, "a.pdf") == "unsupported_format"


def test_a_text_that_is_too_long_says_so() -> None:
    with pytest.raises(errors.DocumentTooLargeError):
        parse_bytes(b"words " * 100, "a.txt", max_text_characters=500)


def test_mails_in_mails_end_somewhere() -> None:
    mail = b"From: a@b.c\nDate: today\nSubject: s\n\nthe innermost words"
    for level in range(50):
        mail = (
            b"From: a@b.c\nDate: today\nMIME-Version: 1.0\n"
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
            b"Content-Type: message/rfc822\n\n%s\n--b%d--\n" % (level, level, mail, level)
        )

    assert "innermost" not in parse_bytes(mail, "a.eml").text


def test_every_error_has_its_own_code_and_a_sentence_of_one_line() -> None:
    classes = errors.DocumentError.__subclasses__()

    assert len({error.code for error in classes}) == len(classes)
    for error in classes:
        assert str(error()).endswith((".", "first.")), error

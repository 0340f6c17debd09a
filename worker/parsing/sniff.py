"""Which format some bytes are in: told by content; the name only separates kinds of plain text."""

import re
from pathlib import PurePath

from worker.parsing.archive import identify_zip
from worker.parsing.compound import identify_compound
from worker.parsing.errors import DamagedDocumentError, EmptyFileError, UnsupportedFormatError

_HEADER_BYTES = 1024  # PDF readers accept that much before the header
_TEXT_HEAD_BYTES = 8192
# Kinds people upload by mistake, by how their bytes begin.
_UNSUPPORTED = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "a database"),
    (b"ID3", "a sound file"),
    (b"OggS", "a media file"),
    (b"RIFF", "a media file"),
    (b"\x00\x00\x00\x1cftyp", "a video"),
    (b"\x00\x00\x00\x20ftyp", "a video"),
    (b"PAR1", "a Parquet table"),
)
_BY_EXTENSION = {
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "md": "md",
    "markdown": "md",
    "eml": "eml",
    "mht": "eml",
    "mhtml": "eml",
    "htm": "html",
    "html": "html",
    "xhtml": "html",
}
_BINARY_EXTENSIONS = frozenset(
    {"pdf", "docx", "pptx", "xlsx", "odt", "epub", "doc", "xls", "ppt", "msg"}
)
_HTML_START = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype\s+html|<html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_MAIL_HEADER = re.compile(
    rb"^(from|to|cc|subject|date|received|return-path|message-id|mime-version|delivered-to"
    rb"|content-type|reply-to|x-[a-z-]+|[a-z-]+):[ \t]?(?=\S|\r?\n[ \t])",
    re.IGNORECASE,
)
_MAIL_ONLY = (
    b"from",
    b"subject",
    b"date",
    b"received",
    b"return-path",
    b"message-id",
    b"mime-version",
    b"to",
)


def sniff(content: bytes, file_name: str) -> str:
    """Return the format of `content`, as "pdf"; plain text of unknown kind is "txt".

    Raises:
        EmptyFileError: there are no bytes.
        DamagedDocumentError, EncryptedDocumentError, DecompressionBombError: see `archive`.
        UnsupportedFormatError: it is of a kind that is not read.
    """
    if not content:
        raise EmptyFileError
    if _is_pdf(content):
        return "pdf"
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return identify_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return identify_compound(content)
    if content.lstrip()[:5] == b"{\\rtf":
        return "rtf"
    for start, kind in _UNSUPPORTED:
        if content.startswith(start) and not content[:64].isascii() | (
            b"\x00" not in content[:512]
        ):
            raise UnsupportedFormatError(
                f"The file is {kind}, which is not read; upload a document with text instead."
            )
    return _sniff_text(content, file_name)


def named_as_binary(file_name: str) -> bool:
    """Tell whether the name promises one of the formats that are not text."""
    return _extension(file_name) in _BINARY_EXTENSIONS


def _extension(file_name: str) -> str:
    return PurePath(file_name).suffix.lower().lstrip(".")


def _is_pdf(content: bytes) -> bool:
    position = content[:_HEADER_BYTES].find(b"%PDF-")
    if position < 0:
        return False
    # A text may speak of "%PDF-"; a file with something before its header still ends like one.
    return (
        not content[:position].strip(b"\xef\xbb\xbf \t\r\n\x00") or b"startxref" in content[-2048:]
    )


def _sniff_text(content: bytes, file_name: str) -> str:
    if b"\x00" not in content[:_TEXT_HEAD_BYTES]:
        head = content[:_TEXT_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf")
        if _HTML_START.match(head):
            return "html"
        if _is_mail(head):
            return "eml"
    named = _BY_EXTENSION.get(_extension(file_name), "txt")
    # A name alone makes no mail: without headers it is plain text.
    return "txt" if named == "eml" else named


def _is_mail(head: bytes) -> bool:
    lines = head.splitlines()
    if lines and lines[0].startswith(b"From "):
        del lines[0]  # the separator of a mailbox
    names: set[bytes] = set()
    for line in lines:
        if line[:1] in {b" ", b"\t"} and names:
            continue  # a folded header
        header = _MAIL_HEADER.match(line)
        if header is None:
            break
        names.add(header[1].lower())
    # Notes may begin "From: ...", "To: ..."; only programs write the headers below.
    return len(names.intersection(_MAIL_ONLY)) >= 2 and bool(
        names & {b"received", b"message-id", b"mime-version", b"return-path", b"date"}
    )


def refuse_broken_promise(file_name: str) -> None:
    """Raise DamagedDocumentError with the name's promise; for bytes that turned out no text."""
    extension = _extension(file_name)
    raise DamagedDocumentError(
        f"The file is named .{extension} but its content is not; save it anew and upload it again."
    )

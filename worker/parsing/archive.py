"""What a zip file is: which document format, encrypted, damaged, or a decompression bomb."""

import io
import zipfile
import zlib

from worker.parsing.errors import (
    DamagedDocumentError,
    DecompressionBombError,
    EncryptedDocumentError,
    UnsupportedFormatError,
)

# Parsers hold what they unpack several times over: more would not fit into a child's memory.
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
# Repetitive spreadsheets reach 1:100; a bomb of one layer has 1:1000.
MAX_RATIO = 250
RATIO_MATTERS_FROM_BYTES = 64 * 1024 * 1024  # below this even a bomb is harmless
MAX_MEMBERS = 50_000

_BY_MIMETYPE = {
    b"application/epub+zip": "epub",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
}
_BY_MEMBER_PREFIX = (
    ("word/document", "docx"),
    ("ppt/presentation", "pptx"),
    ("xl/workbook.bin", "xlsb"),
    ("xl/workbook", "xlsx"),
)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    NotImplementedError,
    OSError,
)
_FONT_OBFUSCATION = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")


def identify_zip(content: bytes) -> str:
    """Return the document format of a zip file, as "docx".

    Raises:
        DamagedDocumentError: the zip is cut short or broken.
        EncryptedDocumentError: some of it needs a password.
        DecompressionBombError: it unpacks to more than any document needs.
        UnsupportedFormatError: it is a zip, but none of the known formats.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_bomb(archive, packed_bytes=len(content))
            return _identify(archive)
    except _BROKEN as error:
        raise DamagedDocumentError from error


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return one member's bytes; a broken member raises DamagedDocumentError."""
    try:
        return archive.read(name)
    except KeyError as error:
        raise DamagedDocumentError from error
    except RuntimeError as error:  # zipfile's word for "needs a password"
        raise EncryptedDocumentError from error
    except _BROKEN as error:
        raise DamagedDocumentError from error


def _refuse_bomb(archive: zipfile.ZipFile, *, packed_bytes: int) -> None:
    members = archive.infolist()
    unpacked_bytes = sum(member.file_size for member in members)
    is_bomb = (
        len(members) > MAX_MEMBERS
        or unpacked_bytes > MAX_UNPACKED_BYTES
        or (unpacked_bytes > RATIO_MATTERS_FROM_BYTES and unpacked_bytes > packed_bytes * MAX_RATIO)
    )
    if is_bomb:
        raise DecompressionBombError


def _identify(archive: zipfile.ZipFile) -> str:
    if any(member.flag_bits & 0x1 for member in archive.infolist()):
        raise EncryptedDocumentError
    # Some writers use other letter case or backslashes.
    names = {name.lower().replace("\\", "/"): name for name in archive.namelist()}
    _refuse_encrypted_parts(archive, names)
    if "mimetype" in names:
        mimetype = read_member(archive, names["mimetype"]).strip()
        for known, document_format in _BY_MIMETYPE.items():
            if mimetype == known or mimetype == known + b"-template":
                return document_format
    for prefix, document_format in _BY_MEMBER_PREFIX:
        if any(name.startswith(prefix) for name in names):
            return document_format
    if any(name.endswith("meta-inf/container.xml") for name in names):
        return "epub"  # some are zipped together with a folder around them
    raise UnsupportedFormatError(
        "The file is a zip archive or an unknown kind of document: unpack it and upload "
        "the documents in it."
    )


def _refuse_encrypted_parts(archive: zipfile.ZipFile, names: dict[str, str]) -> None:
    """Look where OpenDocument and EPUB say that parts are encrypted."""
    manifest = names.get("meta-inf/manifest.xml")
    if manifest is not None and b"encryption-data" in read_member(archive, manifest):
        raise EncryptedDocumentError
    rights = names.get("meta-inf/encryption.xml")
    if rights is not None:
        listing = read_member(archive, rights)
        fonts = sum(listing.count(algorithm) for algorithm in _FONT_OBFUSCATION)
        if listing.count(b"CipherReference") > fonts:  # obfuscated fonts hide no text
            raise EncryptedDocumentError

"""What an OLE compound file (doc, xls, ppt, msg) is, and whether it is encrypted."""

import io
from typing import TYPE_CHECKING

from worker.parsing.errors import (
    DamagedDocumentError,
    EncryptedDocumentError,
    UnsupportedFormatError,
)

if TYPE_CHECKING:
    from olefile import OleFileIO

_BY_STREAM = (
    ("worddocument", "doc"),
    ("workbook", "xls"),
    ("book", "xls"),
    ("powerpoint document", "ppt"),
    ("__properties_version1.0", "msg"),
)
_WORD_ENCRYPTED_FLAG = 0x0100  # bit fEncrypted of the FIB's flags, two bytes at offset 10
_EXCEL_FILEPASS = 0x002F  # the record that says how the following ones are encrypted
_EXCEL_RECORDS_LOOKED_AT = 20  # FILEPASS comes right after the first BOF
_POWERPOINT_ENCRYPTED_TOKEN = b"\xdf\xc4\xd1\xf3"  # at offset 12 of "Current User"


def identify_compound(content: bytes) -> str:
    """Return the document format of an OLE file, as "doc".

    Raises:
        DamagedDocumentError: the container is broken.
        EncryptedDocumentError: the document in it needs a password.
        UnsupportedFormatError: it is something else than a document.
    """
    import olefile  # noqa: PLC0415 (few files are of this kind)

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as container:
            return _identify(container)
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise DamagedDocumentError from error


def _identify(container: "OleFileIO") -> str:
    top = {path[0].lower() for path in container.listdir() if len(path) == 1}
    if top & {"encryptedpackage", "encryptioninfo", "encryptedsummary"}:
        raise EncryptedDocumentError
    for stream, document_format in _BY_STREAM:
        if stream in top:
            if _is_encrypted(container, stream):
                raise EncryptedDocumentError
            return document_format
    raise UnsupportedFormatError


def _is_encrypted(container: "OleFileIO", stream: str) -> bool:
    if stream == "powerpoint document":
        if not container.exists("Current User"):
            return False
        current_user: bytes = container.openstream("Current User").read(16)
        return current_user[12:16] == _POWERPOINT_ENCRYPTED_TOKEN
    head: bytes = container.openstream(stream).read(4096)
    if stream == "worddocument":
        return bool(int.from_bytes(head[10:12], "little") & _WORD_ENCRYPTED_FLAG)
    if stream in {"workbook", "book"}:
        return _has_filepass(head)
    return False


def _has_filepass(head: bytes) -> bool:
    offset = 0
    for _ in range(_EXCEL_RECORDS_LOOKED_AT):
        record = int.from_bytes(head[offset : offset + 2], "little")
        if record == _EXCEL_FILEPASS:
            return True
        offset += 4 + int.from_bytes(head[offset + 2 : offset + 4], "little")
    return False

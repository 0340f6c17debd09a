"""Every way in which reading a document can fail, each with its code and sentence."""

from shared.errors import AppError


class DocumentError(AppError):
    """The document cannot be read; upload another file."""

    code = "unreadable_document"


class EmptyFileError(DocumentError):
    """The file has no bytes in it; check the original and upload it again."""

    code = "empty_file"


class NoTextError(DocumentError):
    """There is nothing to read in this document; upload one that has text in it."""

    code = "no_text"


class NoTextLayerError(DocumentError):
    """The PDF has pictures of pages but no text layer, and OCR is not built in: run OCR first."""

    code = "no_text_layer"


class EncryptedDocumentError(DocumentError):
    """The document is protected by a password; remove the protection and upload it again."""

    code = "encrypted_document"


class DamagedDocumentError(DocumentError):
    """The file is damaged or cut short and cannot be read; save it anew and upload it again."""

    code = "damaged_document"


class UnsupportedFormatError(DocumentError):
    """Files of this kind are not read; convert it to PDF, DOCX, HTML or text and upload that."""

    code = "unsupported_format"


class DecompressionBombError(DocumentError):
    """The file unpacks to far more than documents need; save it anew or split it, then upload."""

    code = "decompression_bomb"


class DocumentTooLargeError(DocumentError):
    """The document has more text than one document may have; split it and upload the parts."""

    code = "document_too_large"


class ParseTimeoutError(DocumentError):
    """Reading the document took longer than allowed; split or simplify it and upload it again."""

    code = "parse_timeout"


class ParseOutOfMemoryError(DocumentError):
    """Reading the document took more memory than allowed; split it and upload the parts."""

    code = "parse_out_of_memory"


class ParserCrashedError(DocumentError):
    """The parser crashed on this document, damaged or too large; save it anew or split it."""

    code = "parser_crashed"


class ParserKilledError(DocumentError):
    """The parser was ended from outside, often by a machine out of memory; it is tried again."""

    code = "parser_killed"
    retryable = True

"""Which encoding some bytes are in, and their text: BOM, NUL parity, UTF-8, declared, guessed."""

import codecs
import re
import unicodedata

from worker.parsing.errors import DamagedDocumentError

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Python's name for the superset that browsers mean by the detector's name.
_SUPERSETS = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "big5": "cp950",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "x-mac-cyrillic": "mac-cyrillic",
}
_SAMPLE_CHARACTERS = 200_000  # enough to judge by, and judged in milliseconds
_DETECT_BYTES = 1 << 20  # the detector is settled long before, and slows down on more
_MULTIBYTE_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def decode(content: bytes, *, declared: str | None = None) -> str:
    """Return the text of `content`.

    Args:
        content: bytes of a text file in any encoding.
        declared: the encoding the file itself or its envelope names; believed only if it fits.

    Raises:
        DamagedDocumentError: the bytes are not text in any encoding.
    """
    text = _decode(content, declared)
    if not looks_like_text(text):
        raise DamagedDocumentError(
            "The file is not text in any known encoding; check that it is the file you meant."
        )
    return text


def looks_like_text(text: str) -> bool:
    """Tell text from binary rubbish by its share of characters that no text has."""
    sample = text[:_SAMPLE_CHARACTERS].replace("\x00", "")
    if len(sample) * 3 < min(len(text), _SAMPLE_CHARACTERS):
        return False  # mostly NUL
    odd = sum(map(_is_odd, sample))
    # Random bytes have 10 % control characters; one stray control character condemns no file.
    return odd <= 1 or odd * 33 < len(sample)


def _is_odd(character: str) -> bool:
    if character in "\t\n\r\f\x0b\x1b\x08\x1a":
        return False
    return character == "\ufffd" or unicodedata.category(character) in {"Cc", "Cn", "Co"}


def _decode(content: bytes, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    unmarked_utf16 = _utf16_by_nul_parity(content)
    if unmarked_utf16 is not None:
        return unmarked_utf16
    utf8 = _utf8(content)
    if utf8 is not None:
        return utf8
    if declared is not None and (text := _strictly(content, declared)) is not None:
        return text
    return _guess(content)


def _utf16_by_nul_parity(content: bytes) -> str | None:
    """Read UTF-16 without a mark: in it the NULs of ASCII characters share one parity."""
    sample = content[:_SAMPLE_CHARACTERS]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    likelier = ["utf-16-le", "utf-16-be"] if odd > even else ["utf-16-be", "utf-16-le"]
    many = max(even, odd)
    if many == 0 or len(content) < 4:
        return None
    if many * 2 < len(sample) // 2 and _is_utf8(content.replace(b"\x00", b"")):
        return None  # a stray NUL in a text of bytes
    # The commonest Chinese character (U+4E00) has its NUL at the other parity.
    text = max((content.decode(encoding, "replace") for encoding in likelier), key=_common_share)
    return text if looks_like_text(text) else None


def _common_share(text: str) -> float:
    """Return the share of characters that everyday texts are made of."""
    sample = text[:_SAMPLE_CHARACTERS]
    common = sum(
        character in "\t\n\r" or " " <= character < "\u1100" or _is_east_asian(character)
        for character in sample
    )
    return common / len(sample)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf8(content: bytes) -> str | None:
    """Read UTF-8, also with lone surrogates, a cut last character, or a few broken ones."""
    try:
        return content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = len(_MULTIBYTE_UTF8.findall(content[:_DETECT_BYTES]))
    # Elsewhere three bytes in a row rarely form valid UTF-8: 20 to 1 is no accident.
    return text if good >= broken * 20 else None


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(_SUPERSETS.get(encoding.lower(), encoding))
    except (LookupError, UnicodeError):
        return None


def _guess(content: bytes) -> str:
    from chardetng_py import EncodingDetector  # noqa: PLC0415 (few files get this far)

    detector = EncodingDetector()
    detector.feed(content[:_DETECT_BYTES], last=True)
    name = detector.guess(tld=None, allow_utf8=False).lower()
    guessed = content.decode(_SUPERSETS.get(name, name), "replace")
    if looks_like_text(guessed) and "\ufffd" not in guessed:
        return guessed
    return _utf16_without_any_nul(content) or guessed


def _utf16_without_any_nul(content: bytes) -> str | None:
    """Read a short Chinese or Japanese UTF-16 text: all its characters are of those scripts."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _strictly(content, encoding)
        if text and all(_is_east_asian(character) for character in text[:_SAMPLE_CHARACTERS]):
            return text
    return None


def _is_east_asian(character: str) -> bool:
    return "\u3000" <= character <= "\u9fff" or "\uac00" <= character <= "\uffef"

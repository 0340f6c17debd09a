"""Text in any common encoding is read as what it says, also when it is short."""

import pytest

from worker.parsing.decode import decode
from worker.parsing.errors import DamagedDocumentError
from worker.parsing.parse import parse_bytes
from worker.parsing.text import clean

CHINESE = "武汉是中国湖北省的省会，位于长江与汉水的交汇处。"
TRADITIONAL = "臺北是臺灣的首都，位於臺北盆地，人口約二百五十萬。"
JAPANESE = "これは日本語の文章です。東京は日本の首都であり、人口が多い。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "gb18030"),
        ("中文短文本", "gb18030"),
        (TRADITIONAL, "big5"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        ("Grüße aus Köln, café crème", "latin-1"),
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
        (CHINESE + "\nabc\n", "utf-16-le"),
        (CHINESE + "\nabc\n", "utf-16-be"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        ("中文\n", "utf-16-le"),
        ("武汉大学，一八九三年", "utf-16-be"),
        ("Hello", "utf-16-le"),
        ("Hello", "utf-16-be"),
        (CHINESE, "utf-32"),
        ("a", "utf-8"),
    ],
)
def test_an_encoding_is_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_stray_nul_does_not_make_utf16() -> None:
    assert parse_bytes(b"ab\x00cd efgh", "a.txt").text == "abcd efgh"


def test_lone_surrogates_become_replacement_characters() -> None:
    assert parse_bytes(b"low \xed\xb0\x80 high \xed\xa0\x80 end", "a.txt").text == (
        "low \ufffd high \ufffd end"
    )


def test_surrogate_halves_that_belong_together_are_joined() -> None:
    assert clean("\ud83d\ude00") == "😀"


def test_a_character_cut_at_the_end_spoils_nothing_else() -> None:
    assert decode((CHINESE * 3).encode()[:-1])[:-1] == (CHINESE * 3)[:-1]


def test_newlines_are_normalised() -> None:
    assert clean("a\r\nb\rc\n\n\n\nd  \n") == "a\nb\nc\n\nd"


def test_random_bytes_are_no_text() -> None:
    with pytest.raises(DamagedDocumentError):
        decode(bytes((i * 197 + i // 7 * 31) % 256 for i in range(4096)))

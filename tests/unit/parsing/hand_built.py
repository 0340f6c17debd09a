"""Small documents of each format, built byte by byte: what is tested is visible here."""

import io
import struct
import zipfile
from collections.abc import Sequence

DOCX_MAIN = "word/document.xml"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SECTOR_BYTES = 512
_END_OF_CHAIN, _FREE, _FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def zipped(members: dict[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _types(*overrides: tuple[str, str]) -> str:
    parts = "".join(f'<Override PartName="{n}" ContentType="{t}"/>' for n, t in overrides)
    return (
        f'<?xml version="1.0"?><Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{parts}</Types>'
    )


def _relations(*targets: tuple[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}/relationships">'
        f"{links}</Relationships>"
    )


def docx(*paragraphs: str, rows: Sequence[Sequence[str]] = ()) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    cells = "".join(
        "<w:tr>"
        + "".join(f"<w:tc><w:p><w:r><w:t>{c}</w:t></w:r></w:p></w:tc>" for c in row)
        + "</w:tr>"
        for row in rows
    )
    table = f"<w:tbl>{cells}</w:tbl>" if rows else ""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return zipped(
        {
            "[Content_Types].xml": _types(("/" + DOCX_MAIN, kind)),
            "_rels/.rels": _relations(("officeDocument", DOCX_MAIN)),
            DOCX_MAIN: f'<?xml version="1.0"?><w:document {_W}><w:body>{body}{table}</w:body>'
            "</w:document>",
        }
    )


def pptx(text: str, notes: str) -> bytes:
    spaces = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        f'xmlns:r="{_OFFICE}"'
    )

    def tree(words: str, placeholder: str) -> str:
        return (
            f'<p:cSld><p:spTree><p:sp><p:nvSpPr><p:cNvPr id="2" name="x"/><p:cNvSpPr/><p:nvPr>'
            f"{placeholder}</p:nvPr></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r>"
            f"<a:t>{words}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld>"
        )

    notes_tree = tree(notes, '<p:ph type="body" idx="1"/>')
    kind = "application/vnd.openxmlformats-officedocument.presentationml."
    return zipped(
        {
            "[Content_Types].xml": _types(
                ("/ppt/presentation.xml", kind + "presentation.main+xml"),
                ("/ppt/slides/slide1.xml", kind + "slide+xml"),
                ("/ppt/notesSlides/notesSlide1.xml", kind + "notesSlide+xml"),
            ),
            "_rels/.rels": _relations(("officeDocument", "ppt/presentation.xml")),
            "ppt/presentation.xml": f'<p:presentation {spaces}><p:sldIdLst><p:sldId id="256" '
            'r:id="rId1"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": _relations(("slide", "slides/slide1.xml")),
            "ppt/slides/slide1.xml": f"<p:sld {spaces}>{tree(text, '')}</p:sld>",
            "ppt/slides/_rels/slide1.xml.rels": _relations(
                ("notesSlide", "../notesSlides/notesSlide1.xml")
            ),
            "ppt/notesSlides/notesSlide1.xml": f"<p:notes {spaces}>{notes_tree}</p:notes>",
        }
    )


def xlsx(sheet_name: str, rows: Sequence[Sequence[str | float]]) -> bytes:
    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    xml_rows = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    return zipped(
        {
            "[Content_Types].xml": _types(
                ("/xl/workbook.xml", kind + "sheet.main+xml"),
                ("/xl/worksheets/sheet1.xml", kind + "worksheet+xml"),
            ),
            "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{sheet_name}" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations(("worksheet", "worksheets/sheet1.xml")),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{xml_rows}'
            "</sheetData></worksheet>",
        }
    )


def odt(text: str, *, manifest: str = "") -> bytes:
    office = "urn:oasis:names:tc:opendocument:xmlns"
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>",
            "content.xml": f'<office:document-content xmlns:office="{office}:office:1.0" '
            f'xmlns:text="{office}:text:1.0"><office:body><office:text><text:p>{text}</text:p>'
            "</office:text></office:body></office:document-content>",
        }
    )


def epub(*chapters: str, folder: str = "") -> bytes:
    items = "".join(f'<item id="c{i}" href="c%20{i}.xhtml"/>' for i in range(len(chapters)))
    order = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    texts = {
        f"{folder}OEBPS/c {i}.xhtml": f"<html><body><p>{text}</p></body></html>"
        for i, text in enumerate(chapters)
    }
    return zipped(
        {
            "mimetype": "application/epub+zip",
            f"{folder}META-INF/container.xml": "<container><rootfiles>"
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            # The members come in reverse: only the spine knows the order.
            **dict(reversed(texts.items())),
            f"{folder}OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf">'
            f"<manifest>{items}</manifest><spine>{order}</spine></package>",
        }
    )


def pdf(*page_streams: bytes, trailer: bytes = b"") -> bytes:
    """Build a PDF of pages whose content streams are given; Helvetica is /F1."""
    count = len(page_streams)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, stream in enumerate(page_streams):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * i)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R %s >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, trailer, len(out))
    )


def pdf_text(text: str, *, x: int = 72, y: int = 720) -> bytes:
    return b"BT /F1 12 Tf %d %d Td (%s) Tj ET\n" % (x, y, text.encode("latin-1"))


# A picture of one pixel, scaled to the page, as a scanner makes it.
SCANNED_PAGE = b"q 612 0 0 792 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x80 EI Q"
# RC4 with a user password nobody knows: 32 bytes each for /O and /U.
ENCRYPTED_TRAILER = (
    b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]"
    % (
        b"11" * 32,
        b"22" * 32,
        b"33" * 16,
        b"33" * 16,
    )
)


def compound(streams: dict[str, bytes]) -> bytes:
    """Build an OLE compound file (version 3) whose streams all lie in the root."""
    # Streams below 4096 bytes would need a second allocation table.
    padded = {name: content.ljust(4096, b"\x00") for name, content in streams.items()}
    fat = [_FAT_SECTOR]
    sectors: list[bytes] = []

    def store(content: bytes) -> int:
        first = len(fat)
        count = -(-len(content) // _SECTOR_BYTES)
        fat.extend([*range(first + 1, first + count), _END_OF_CHAIN])
        full = content.ljust(count * _SECTOR_BYTES, b"\x00")
        sectors.extend(full[i : i + _SECTOR_BYTES] for i in range(0, len(full), _SECTOR_BYTES))
        return first

    starts = {name: (store(content), len(content)) for name, content in padded.items()}
    # Siblings form a search tree by length, then name; a chain to the right is one.
    ordered = sorted(starts, key=lambda name: (len(name), name.upper()))
    entries = [_entry("Root Entry", 5, child=1, right=_FREE, start=_END_OF_CHAIN, size=0)]
    for index, name in enumerate(ordered, 1):
        right = index + 1 if index < len(ordered) else _FREE
        start, size = starts[name]
        entries.append(_entry(name, 2, child=_FREE, right=right, start=start, size=size))
    directory = store(b"".join(entries))
    fat.extend([_FREE] * (128 - len(fat)))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, directory, 0, 4096,
                          _END_OF_CHAIN, 0, _END_OF_CHAIN, 0, 0)  # fmt: skip
    header += struct.pack("<108I", *([_FREE] * 108))
    return header + struct.pack("<128I", *fat) + b"".join(sectors)


def _entry(name: str, kind: int, *, child: int, right: int, start: int, size: int) -> bytes:
    encoded = (name + "\x00").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI8x8xIQ",
        encoded, len(encoded), kind, 1, _FREE, right, child, 0, start, size,
    )  # fmt: skip


def ppt(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    atom = struct.pack("<HHI", 0, 4000, len(encoded)) + encoded  # TextCharsAtom
    slide_list = struct.pack("<HHI", 0x0F, 4080, len(atom)) + atom  # SlideListWithText
    document = struct.pack("<HHI", 0x0F, 1000, len(slide_list)) + slide_list
    return compound({"PowerPoint Document": document, "Current User": bytes(64)})


def msg(subject: str, body: str) -> bytes:
    names = {"0037": subject, "1000": body}
    streams = {f"__substg1.0_{tag}001F": text.encode("utf-16-le") for tag, text in names.items()}
    properties = bytes(32) + b"".join(
        struct.pack("<HHIII", 0x001F, int(tag, 16), 6, len(text) * 2 + 2, 0)
        for tag, text in names.items()
    )
    return compound({"__properties_version1.0": properties, **streams})

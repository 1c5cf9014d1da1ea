"""Bytes of a body to text, whatever character set they are in. Total; no JSON and no forms here."""

import codecs
import re

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NULS = (  # where the zero bytes of two ASCII characters are (RFC 4627, section 3)
    (re.compile(rb"\0\0\0[^\0]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[^\0]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0[^\0]\0[^\0]", re.DOTALL), "utf-16-be"),
    (re.compile(rb"[^\0]\0[^\0]\0", re.DOTALL), "utf-16-le"),
)
_DECLARED = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_UNDERSTOOD = {
    "iso-8859-1": "cp1252",  # what the web means by it
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso-8859-15",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""Declared character sets that are followed. Others would open Python's whole box of codecs to the sender."""
_UNDECODABLE = "�"


def text_of_body(body: bytes, content_type: str) -> str:
    """The body as text; a byte that means nothing becomes U+FFFD.

    In this order: a byte order mark; zero bytes that show UTF-16 or UTF-32; UTF-8; the declared character
    set; UTF-8 with some broken characters, if any other character beyond ASCII is whole or the body was cut
    within one; else Windows-1252.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for pattern, name in _NULS:
        if pattern.match(body):
            return body.decode(name, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_at_end = error.reason == "unexpected end of data"
    declared = _DECLARED.search(content_type)
    if declared and (name := _UNDERSTOOD.get(declared[1].lower(), "")):
        return body.decode(name, "replace")
    text = body.decode("utf-8", "replace")
    if cut_at_end or any(character > "\x7f" and character != _UNDECODABLE for character in text):
        return text
    return body.decode("cp1252", "replace")

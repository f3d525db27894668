"""Hostile XML to a tree: no entities, no external parts, a bounded number of elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dyssync.errors import FormatError, Words
from dyssync.formats.reading.parsing import number

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only; defusedxml parses

# An element costs about 100 bytes of memory, an attribute 300; real files have < 20,000 of each.
MAX_ELEMENTS = 300_000
MAX_DEPTH = 100
_ROOT = re.compile(r"<([A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


def root_name(head: bytes) -> str | None:
    """Return the local name of the root element, None where `head` is no XML.

    >>> root_name(b'<?xml version="1.0"?><!-- x --><a:AnnotatedECG xmlns:a="urn:hl7-org:v3">')
    'AnnotatedECG'
    """
    text = head_text(head)
    if not text.lstrip("\ufeff \r\n\t").startswith("<"):
        return None
    # Comments, instructions and the document type come before the root.
    text = re.sub(r"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^\[>]*(\[.*?\])?\s*>", "", text, flags=re.S)
    match = _ROOT.search(text)
    return match[2] if match else None


def head_text(head: bytes) -> str:
    """Decode the start of a text file well enough to look at ASCII in it."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    if head[:4] == b"<\0?\0":
        return head[: len(head) // 2 * 2].decode("utf-16-le", "replace")
    return head.decode("utf-8-sig", "replace")


def parse_tree(data: bytes) -> Element:
    """Parse XML, dropping the namespaces of the tags.

    Raises:
        FormatError: not well-formed, with entities or external parts, or absurdly many elements.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    if data.count(b"<") > 2 * MAX_ELEMENTS:
        raise FormatError(f"more than {MAX_ELEMENTS} XML elements; an ECG has thousands")
    if data.count(b"=") > MAX_ELEMENTS:
        raise FormatError(f"more than {MAX_ELEMENTS} XML attributes; an ECG has thousands")
    parser = DefusedXMLParser(
        target=_shallow_builder(), forbid_dtd=False, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(_honest_encoding(data))
        root: Element = parser.close()
    except FormatError:
        raise
    except ParseError as error:
        _check_utf_8(data)
        line, column = error.position
        raise FormatError(
            f"XML is not well-formed (line {line:d}, column {column:d}); truncated or edited?"
        ) from error
    except DefusedXmlException as error:
        kind = type(error).__name__
        raise FormatError(f"XML with entities or external parts is refused ({kind})") from error
    except (ValueError, LookupError) as error:  # unknown or multi-byte encoding
        raise FormatError("XML cannot be decoded; save it as UTF-8") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _check_utf_8(data: bytes) -> None:
    """Say so if XML in UTF-8, the encoding of XML that states none, holds other bytes."""
    stated = re.search(rb"encoding\s*=\s*[\"']([^\"']*)", data[:200])
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (stated and stated[1].lower() != b"utf-8"):
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"the byte at place {error.start:d} is not in UTF-8, as the XML "
            "should be; save it as UTF-8, or state its encoding"
        ) from error


def _shallow_builder() -> object:
    """Return a builder of trees that refuses deep ones: walking them would exhaust the stack."""
    from xml.etree.ElementTree import TreeBuilder  # noqa: TID251 - builds only; defusedxml parses

    class ShallowBuilder(TreeBuilder):
        depth = 0

        def start(self, tag: str, attrs: dict[str, str]) -> Element:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise FormatError(f"XML elements nested {MAX_DEPTH} deep; an ECG has about 30")
            return super().start(tag, attrs)

        def end(self, tag: str) -> Element:
            self.depth -= 1
            return super().end(tag)

    return ShallowBuilder()


def _honest_encoding(data: bytes) -> bytes:
    """Drop a declaration of UTF-16 from XML that was saved again in another encoding."""
    match = _DECLARATION.match(data)
    if match and b"\0" not in match[0] and b"utf-16" in match[0].lower():
        return data[match.end() :]
    return data


def text_of(element: Element | None, path: str) -> str | None:
    """Return the stripped text at `path`, None where there is none."""
    if element is None:
        return None
    return (element.findtext(path) or "").strip() or None


def need_number(element: Element, path: str, what: Words) -> float:
    """Return the finite number at `path`.

    Raises:
        FormatError: it is missing or no number.
    """
    return number(text_of(element, path), what)

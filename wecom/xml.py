"""WeCom's XML as nested dicts, safe against hostile documents. Django-free.

Safety rests on one fact: entities, the root of all XML attacks, can only be declared in a DTD, and a DTD begins with
the literal ``<!DOCTYPE``. The parser reads UTF-8 whatever the document declares, with one exception: expat still
recognises UTF-16 by its first bytes. UTF-16 markup is full of zero bytes, which UTF-8 XML may not contain, so those are
refused; then a document without the literal has no DTD and may take the fast C parser. The few that contain it (a
comment may quote HTML) go through defusedxml, which knows a DTD from a quotation and refuses only the former.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring as parse_defused

from wecom.crypto import Unparsable, gettext_noop

REPEATABLE = frozenset(
    {
        # approvals in the OA app (doc 91815)
        *("SpRecord", "Details", "Notifyer", "Comments", "NodeList", "SubNodeList", "Attach", "MediaIds"),
        # approval engine (doc 90269); "Item" also holds the members of MemChangeList (doc 92130)
        *("ApprovalNode", "NotifyNode", "Item"),
    }
)
"""Tags that are lists even when they occur once. Any other tag becomes a list only when it is in fact repeated."""
DEEPEST = 32
"""WeCom's own documents are eight deep; a bound keeps the recursion far from Python's limit."""


def parse(document: bytes, *, levels: int | None = None) -> dict[str, Any]:
    """The children of the root as a dict; empty elements are ``""``. Raises Unparsable, also for any DTD.

    ``levels``: look no deeper than this; an element with children down there is ``""`` too.
    """
    root = _root(document)
    return _children(root, levels or DEEPEST, cut=levels is not None) if len(root) else {}


def text(node: Mapping[str, Any], name: str) -> str:
    """The text of ``node``'s child ``name``, stripped; ``""`` if it is missing or no text. Of several, the first."""
    value = node.get(name, "")
    if isinstance(value, list):
        value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""


def _root(document: bytes) -> Element:
    if b"\0" in document:
        raise Unparsable
    try:
        if b"<!DOCTYPE" in document:
            return parse_defused(document.decode("utf-8"), forbid_dtd=True)
        parser = XMLParser(encoding="utf-8")  # noqa: S314 - no DTD in here: see the module's docstring
        parser.feed(document)
        return parser.close()
    except (ParseError, DefusedXmlException, UnicodeDecodeError) as error:
        raise Unparsable from error


def _children(element: Element, depth: int, cut: bool) -> dict[str, Any]:
    if not depth:
        raise Unparsable(gettext_noop("The XML is nested too deeply."))
    found: dict[str, Any] = {}
    for child in element:
        value: Any = child.text or ""
        if len(child):
            value = "" if cut and depth == 1 else _children(child, depth - 1, cut)
        name = child.tag
        if name in REPEATABLE:
            found.setdefault(name, []).append(value)
        elif name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found

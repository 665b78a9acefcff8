"""The parser: what it makes of WeCom's documents, and what it refuses to touch."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom import xml
from wecom.crypto import Unparsable

BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><xml><Event>&i;</Event></xml>"
)
EXTERNAL_ENTITY = '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Event>&e;</Event></xml>'
EXTERNAL_DTD = '<!DOCTYPE xml SYSTEM "http://example.invalid/x.dtd"><xml><Event>e</Event></xml>'
EMPTY_DTD = "<!DOCTYPE xml><xml><Event>e</Event></xml>"
HOSTILE = [BILLION_LAUGHS, EXTERNAL_ENTITY, EXTERNAL_DTD, EMPTY_DTD]


def test_children_become_keys() -> None:
    document = "<xml><Event><![CDATA[ 报价 ]]></Event><CreateTime>17</CreateTime><A><B>1</B></A></xml>"
    assert xml.parse(document.encode()) == {"Event": " 报价 ", "CreateTime": "17", "A": {"B": "1"}}


def test_an_empty_cdata_is_an_empty_text() -> None:
    assert xml.parse(b"<xml><A><![CDATA[]]></A><B></B><C/></xml>") == {"A": "", "B": "", "C": ""}


def test_the_order_of_tags_does_not_matter() -> None:
    assert xml.parse(b"<xml><B>2</B><A>1</A></xml>") == xml.parse(b"<xml><A>1</A><B>2</B></xml>")


@pytest.mark.parametrize("name", sorted(xml.REPEATABLE))
def test_a_repeatable_tag_is_a_list_even_when_alone(name: str) -> None:
    assert xml.parse(f"<xml><{name}><X>1</X></{name}></xml>".encode()) == {name: [{"X": "1"}]}


def test_a_repeatable_tag_keeps_its_order_between_others() -> None:
    document = b"<xml><NodeList>1</NodeList><X>x</X><NodeList>2</NodeList></xml>"
    assert xml.parse(document) == {"NodeList": ["1", "2"], "X": "x"}


def test_an_unexpected_repetition_loses_nothing() -> None:
    doc = xml.parse(b"<xml><UserId>a</UserId><UserId>b</UserId><UserId>c</UserId></xml>")
    assert doc == {"UserId": ["a", "b", "c"]}
    assert xml.text(doc, "UserId") == "a"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b"<xml><A> x </A></xml>", "x"),
        (b"<xml></xml>", ""),
        (b"<xml><A><B/></A></xml>", ""),
        (b"<xml><Item/></xml>", ""),
    ],
)
def test_text_is_stripped_and_empty_when_there_is_none(document: bytes, text: str) -> None:
    assert xml.text(xml.parse(document), "A") == text


@pytest.mark.parametrize("document", HOSTILE, ids=["billion laughs", "external entity", "external dtd", "empty dtd"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_dtd_is_refused_in_every_encoding(document: str, encoding: str) -> None:
    with pytest.raises(Unparsable) as refused:
        xml.parse(document.encode(encoding))
    assert (refused.value.code, refused.value.http_status) == (-40002, 400)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_even_without_a_dtd(encoding: str) -> None:
    with pytest.raises(Unparsable):
        xml.parse("<xml><Event>e</Event></xml>".encode(encoding))


def test_a_declared_encoding_is_overruled() -> None:
    assert xml.parse('<?xml version="1.0" encoding="gbk"?><xml><A>报</A></xml>'.encode()) == {"A": "报"}


def test_a_comment_may_quote_a_doctype() -> None:
    document = b"<xml><Speech><![CDATA[<!DOCTYPE html><p>&nbsp;</p>]]></Speech><Item>1</Item></xml>"
    assert xml.parse(document) == {"Speech": "<!DOCTYPE html><p>&nbsp;</p>", "Item": ["1"]}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"hello",
        b"<xml>",
        b"<xml></xml",
        b"<a/><b/>",
        b"<xml>&unknown;</xml>",
        b"<xml>\xff</xml>",
        b"<xml>\0</xml>",
    ],
)
def test_what_is_not_xml_is_refused(document: bytes) -> None:
    with pytest.raises(Unparsable):
        xml.parse(document)


def test_a_quoted_doctype_does_not_excuse_a_broken_document() -> None:
    with pytest.raises(Unparsable):
        xml.parse(b"<xml><![CDATA[<!DOCTYPE ]]>\xff</xml>")


@pytest.mark.parametrize("depth", [34, 5_000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(Unparsable):
        xml.parse(b"<a>" * depth + b"</a>" * depth)


def test_what_lies_deeper_than_asked_for_is_left_out() -> None:
    document = b"<xml><A>1</A><B><C>2</C><D><E>3</E></D></B></xml>"
    assert xml.parse(document, levels=1) == {"A": "1", "B": ""}
    assert xml.parse(document, levels=2) == {"A": "1", "B": {"C": "2", "D": ""}}
    assert xml.parse(document) == {"A": "1", "B": {"C": "2", "D": {"E": "3"}}}


@given(document=st.binary(max_size=300) | st.text(alphabet="<>/!&;[]CDAT xml\"'", max_size=80).map(str.encode))
def test_noise_is_parsed_or_refused_and_nothing_else(document: bytes) -> None:
    with suppress(Unparsable):
        assert isinstance(xml.parse(document), dict)

"""What of a project is shown, and how."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.document import format_time, mask_phone, public_fields, rewrite_documents, write_document
from projects.errors import BadProject
from projects.models import ProjectCache, RemoteSource, TimeDisplayConfig
from projects.parsing import Parsed, Reader, read_moment
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import PeerLibrary as Library
from projects.tests.sync.peer import project

SOURCE = RemoteSource(slug="default")
DISPLAY = TimeDisplayConfig(version=1)


def parsed(**fields: Any) -> Parsed:
    return Reader(SOURCE).parse(project(1, **fields))


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812348888", "138****8888"),
        ("138 1234 8888", "138 **** 8888"),
        ("138-1234-8888", "138-****-8888"),
        ("+86 13812348888", "+86 138****8888"),
        ("8613812348888", "86138****8888"),
        ("021-62345678", "021-****5678"),
        ("62345678", "62****78"),
        ("8012", "****"),
        ("", ""),
        ("13812348888/13912349999", "138****8888/139****9999"),
        ("13812348888 13912349999", "*********** ***********"),
        ("张三 13812348888", "张三 138****8888"),
        ("１３８１２３４８８８８", "１３８****８８８８"),
    ],
)
def test_a_number_is_shown_without_its_middle(number: str, masked: str) -> None:
    assert mask_phone(number) == masked


@given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.text(alphabet="电话 /,;:转tel", max_size=5))
def test_no_mobile_number_is_shown(number: str, around: str) -> None:
    assert number not in mask_phone(around + number + around)


def test_of_the_stakeholders_only_roles_and_names_are_shown() -> None:
    fields = public_fields(parsed(), DISPLAY, phone_visible=True)
    assert fields["stakeholders"] == [{"role": "customer", "name": "周女士"}, {"role": "salesman", "name": "李梅"}]
    assert fields["phone"] == "13812348888"


@pytest.mark.parametrize(
    "key", ["phone2", "mobile", "contact_tel", "tel", "contactTel", "Telephone", "customer_phone", "联系电话", "手机号"]
)
def test_numbers_in_other_fields_are_masked(key: str) -> None:
    extra = {key: "13911112222", "site": {key: ["13911112222", 13911112222, None, True]}}
    assert "13911112222" not in write_document(parsed(**extra), DISPLAY)
    assert public_fields(parsed(**extra), DISPLAY, phone_visible=True)[key] == "13911112222"


@pytest.mark.parametrize("key", ["hotel", "order_no", "intelligence", "telescope"])
def test_what_only_looks_like_a_number_stays(key: str) -> None:
    assert public_fields(parsed(**{key: "13911112222"}), DISPLAY, phone_visible=False)[key] == "13911112222"


def test_a_librarys_own_field_cannot_take_the_place_of_ours() -> None:
    source = RemoteSource(slug="default", field_map={"phone": "contact"})
    copy = Reader(source).parse({**project(1), "contact": "13812348888", "phone": "13911112222"})
    assert public_fields(copy, DISPLAY, phone_visible=False)["phone"] == "138****8888"


def test_times_are_written_in_the_format_and_zone_of_their_type() -> None:
    display = TimeDisplayConfig(
        aftersales_time_format="MM/DD HH:mm", sales_time_format="YYYY年M月D日", timezone="Europe/Berlin", version=1
    )
    times = {"paid_at": "2026-02-02T23:30:00Z", "visit": {"start_time": "2026-07-01 08:00:00"}, "made_at": "soon"}
    sales = public_fields(parsed(**times), display, phone_visible=False)
    assert (sales["updated_at"], sales["paid_at"], sales["made_at"]) == ("2026年2月2日", "2026年2月3日", "soon")
    after_sales = public_fields(parsed(type="aftersales", **times), display, phone_visible=False)
    assert (after_sales["paid_at"], after_sales["visit"]) == ("02/03 00:30", {"start_time": "07/01 02:00"})


def test_the_time_of_payment_can_be_left_out() -> None:
    display = TimeDisplayConfig(show_payment_time=False, version=1)
    fields = public_fields(parsed(paid_at="x", payment_time="y", deep={"paid_at": "z"}), display, phone_visible=True)
    assert "paid_at" not in fields and "payment_time" not in fields and fields["deep"] == {}


def test_an_unknown_zone_is_taken_for_the_sites() -> None:
    display = TimeDisplayConfig(timezone="Asia/Nowhere", version=1)
    assert public_fields(parsed(), display, phone_visible=False)["updated_at"] == "2026-02-02 15:30"


def test_braces_in_a_format_are_only_braces() -> None:
    assert format_time(datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "{0.year} {} H:m:s", "UTC") == "{0.year} {} 4:5:6"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-02-02T15:30:00+08:00", datetime(2026, 2, 2, 7, 30, tzinfo=UTC)),
        ("2026-02-02T07:30:00Z", datetime(2026, 2, 2, 7, 30, tzinfo=UTC)),
        ("2026-02-02 15:30:00", datetime(2026, 2, 2, 7, 30, tzinfo=UTC)),
        (1770017400, datetime(2026, 2, 2, 7, 30, tzinfo=UTC)),
        (1770017400000, datetime(2026, 2, 2, 7, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00", None),
        (True, None),
        (1e300, None),
        (None, None),
    ],
)
def test_times_as_libraries_write_them(value: object, moment: datetime | None) -> None:
    assert read_moment(value) == moment


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {"id": True},
        {"id": ""},
        {"id": "a\nb"},
        {"id": "x" * 101},
        {**project(1), "type": None},
        {**project(1), "type": ["sales"]},
        {**project(1), "status": "done"},
        {**project(1), "title": " "},
    ],
)
def test_unusable_items_are_refused_with_a_reason(item: object) -> None:
    with pytest.raises(BadProject) as refused:
        Reader(SOURCE).parse(item)
    assert refused.value.sentence


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*project(1), "x_at", "tel", "y"]) | st.text(), json_values, max_size=8))
def test_any_item_is_read_and_written_or_refused(item: dict[str, Any]) -> None:
    try:
        copy = Reader(SOURCE).parse({**project(1), **item})
    except BadProject:
        return
    document = write_document(copy, DISPLAY)
    assert "\\u0000" not in json.dumps([copy.extra, copy.title]) and document.encode()
    assert json.loads(document)["id"] == copy.remote_id


@pytest.mark.django_db
def test_documents_are_written_anew_when_the_format_changes(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(3)))
    synchronise(source)
    assert rewrite_documents() == 0
    display = TimeDisplayConfig.load()
    display.sales_time_format = "YYYY"
    display.save()
    assert rewrite_documents() == 3
    for copy in ProjectCache.objects.all():
        assert json.loads(copy.document)["updated_at"] == "2026"
        assert copy.document_version == display.version
    assert synchronise(source).unchanged_count == 3

"""Statements that are made once: they store, change and return what the ORM's own do, for every column."""

from __future__ import annotations

import gc
import string
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.models import Exists, OuterRef
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, Quote, SyncOperation
from config.sealed import Sealed, SealedField
from config.statements import ROWS, Place, Select, Update, insert, update
from wecom.models import CallbackEvent, WeComConfig

WRITTEN = (ApprovalInstance, ApprovalStep, ApprovalTimeline, CallbackEvent, Quote, SyncOperation, WeComConfig)
EXAMPLES = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(string.printable + "华东机电“”%_'\"\\😀", max_size=9)
VALUES: dict[type[Any], st.SearchStrategy[Any]] = {
    models.BooleanField: st.booleans(),
    models.CharField: TEXT,
    models.DateField: st.dates(),
    models.DateTimeField: st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    models.DecimalField: st.decimals(0, 10**8, places=2),
    models.IntegerField: st.integers(-(2**31), 2**31 - 1),
    models.JSONField: st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ).filter(lambda value: value is not None),
    models.PositiveBigIntegerField: st.integers(0, 2**40),
    models.PositiveIntegerField: st.integers(0, 2**31 - 1),
    models.PositiveSmallIntegerField: st.integers(0, 2**15 - 1),
    models.TextField: TEXT,
    models.UUIDField: st.uuids(),
}

Row = dict[str, Any]


@pytest.fixture
def parts(db: None) -> dict[type[models.Model], int]:
    """Keys of rows that others refer to."""
    app = WeComConfig.objects.create(slug="default", corp_id="ww1", agent_id=1, secret="app-secret", is_default=True)
    user = User.objects.create_user("ada", first_name="Ada")
    quote = Quote.objects.create(quote_number="CIS-1", title="Pumps", customer_name="HD", owner=user)
    instance = ApprovalInstance.objects.create(
        quote=quote, revision=1, third_no="CIS-1", config=app, applicant=user, snapshot={}, flow="internal"
    )
    return {WeComConfig: app.pk, User: user.pk, Quote: quote.pk, ApprovalInstance: instance.pk}


def drawn(data: st.DataObject, model: type[Any], parts: Mapping[Any, int], *, number: int = 0) -> Row:
    """A value for each column that no constraint is about, and lawful ones for the others."""
    row: Row = {}
    constrained = {name for constraint in model._meta.constraints for name in getattr(constraint, "fields", ())}
    for field in model._meta.concrete_fields:
        if field.primary_key:
            continue
        if isinstance(field, models.ForeignKey):
            row[field.attname] = parts.get(field.related_model) if not field.null or data.draw(st.booleans()) else None
        elif isinstance(field, models.BooleanField) and field.name in constrained:
            row[field.attname] = False
        elif field.unique or field.name in constrained:
            row[field.attname] = number if isinstance(field, models.IntegerField) else f"{model.__name__} {number}"
        else:
            known = next(VALUES[kind] for kind in type(field).__mro__ if kind in VALUES)
            length = field.max_length
            value = data.draw(st.none() | known if field.null else known, label=field.name)
            value = value[:length] if length and isinstance(value, str) else value
            # sealing the same text twice gives two ciphertexts
            row[field.attname] = Sealed(field.context, plaintext=value) if isinstance(field, SealedField) else value
    return row


def is_now(field: Any) -> bool:
    return getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def stored(model: type[Any], keys: Sequence[int], *, leave_out: Callable[[Any], bool]) -> list[tuple[Any, ...]]:
    """The rows as the database holds them."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in model._meta.concrete_fields if not leave_out(field))
    wanted = ", ".join(map(str, keys))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE id IN ({wanted}) ORDER BY id")  # noqa: S608
        return cursor.fetchall()


class Undo(Exception):
    """Ends a part of an example and takes its writes back."""


def undone(work: Callable[[], Any]) -> Any:
    """What ``work`` returns; its writes are taken back."""
    answer: Any = None
    try:
        with transaction.atomic():
            answer = work()
            raise Undo
    except Undo:
        return answer


def of_orm(model: type[Any], rows: Sequence[Row]) -> list[int]:
    return [row.pk for row in model._base_manager.bulk_create([model(**row) for row in rows])]


@pytest.mark.parametrize("model", WRITTEN)
@EXAMPLES
@given(data=st.data())
def test_insert_stores_what_the_orm_stores(
    data: st.DataObject, model: type[Any], parts: dict[type[models.Model], int]
) -> None:
    rows = [drawn(data, model, parts, number=number) for number in (1, 2)]

    def differs(field: Any) -> bool:
        return field.primary_key or is_now(field)  # where the ORM stores now, whatever it is given

    ours = undone(lambda: stored(model, insert(model, rows), leave_out=differs))
    assert ours == undone(lambda: stored(model, of_orm(model, rows), leave_out=differs))
    assert len(ours) == 2


@pytest.mark.parametrize("model", [model for model in WRITTEN if model is not ApprovalTimeline])  # append-only
@EXAMPLES
@given(data=st.data())
def test_update_stores_what_the_orm_stores(
    data: st.DataObject, model: type[Any], parts: dict[type[models.Model], int]
) -> None:
    before, after = (drawn(data, model, parts, number=number) for number in (1, 2))

    def ours() -> Any:
        [key] = of_orm(model, [before])
        row = model._base_manager.get(pk=key)
        update([row], after)
        assert {name: getattr(row, name) for name in after} == after
        return stored(model, [key], leave_out=attrgetter("primary_key"))

    def the_orms() -> Any:
        [key] = of_orm(model, [before])
        model._base_manager.filter(pk=key).update(**after)
        return stored(model, [key], leave_out=attrgetter("primary_key"))

    assert undone(ours) == undone(the_orms)


def reading(key: Any) -> models.QuerySet[ApprovalInstance]:
    return ApprovalInstance.objects.select_related("quote__owner", "config", "rule").filter(pk=key)


READING = Select(lambda: reading(Place("key")))


@EXAMPLES
@given(data=st.data())
def test_objects_are_those_of_the_queryset(data: st.DataObject, parts: dict[type[models.Model], int]) -> None:
    def both() -> tuple[Any, Any]:
        WeComConfig.objects.filter(pk=parts[WeComConfig]).update(**drawn(data, WeComConfig, parts))
        Quote.objects.filter(pk=parts[Quote]).update(**drawn(data, Quote, parts))
        [key] = of_orm(ApprovalInstance, [drawn(data, ApprovalInstance, parts)])
        ours = READING.get(key=key)
        with connection.execute_wrapper(nothing_is_sent):
            found = contents(ours)
        return found, contents(reading(key).get())

    ours, the_orms = undone(both)
    assert ours == the_orms
    assert ours["quote"]["owner"]["first_name"] == "Ada"


def nothing_is_sent(*_: Any) -> None:
    pytest.fail("a statement was sent")


def contents(row: models.Model | None) -> Any:
    """Everything that is loaded, as deep as it goes."""
    if row is None:
        return None
    loaded = {name: contents(related) for name, related in row._state.fields_cache.items()}
    values = {name: value for name, value in vars(row).items() if name != "_state"}
    return {"state": (type(row), row._state.adding, row._state.db), **values, **loaded}


def texts(work: Callable[[], object]) -> list[str]:
    """The statements that ``work`` sends."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def test_the_sql_is_the_orms(parts: dict[type[models.Model], int]) -> None:
    key = parts[ApprovalInstance]
    assert texts(lambda: READING.all(key=key)) == texts(lambda: list(reading(key)))

    def rows(quote: Any, instance: Any) -> models.QuerySet[Quote]:
        newer = ApprovalInstance.objects.filter(quote=OuterRef("pk"), pk__gt=instance)
        return Quote.objects.filter(~Exists(newer), pk=quote, title="Pumps")

    change = {"title": "Valves", "valid_until": None, "updated_at": datetime(2026, 1, 5, tzinfo=UTC)}
    renamed = Update(lambda: rows(Place("quote"), Place("instance")), *change)
    [the_orms] = texts(lambda: rows(parts[Quote], key).update(**change))
    Quote.objects.update(title="Pumps")
    [ours] = texts(lambda: renamed.write(change, quote=parts[Quote], instance=key))
    assert ours.replace("None", "NULL") == the_orms  # SQLite's log shows what is a parameter here


def test_an_update_says_how_many_rows_there_were(parts: dict[type[models.Model], int]) -> None:
    titled = Update(lambda: Quote.objects.filter(pk__gte=Place("first")), "title")
    assert titled.write({"title": "Valves"}, first=parts[Quote]) == 1
    assert titled.write({"title": "Pipes"}, first=parts[Quote] + 1) == 0
    assert Quote.objects.get().title == "Valves"


def test_several_rows_are_updated_at_once(parts: dict[type[models.Model], int]) -> None:
    rows = [ApprovalStep(instance_id=parts[ApprovalInstance], node=0, position=n, userid=f"u{n}") for n in range(3)]
    ApprovalStep.objects.bulk_create(rows)
    assert len(texts(lambda: update(rows[:2], {"comment": "fine", "decided_here": True}))) == 1
    told = ApprovalStep.objects.order_by("position").values_list("comment", "decided_here")
    assert list(told) == [("fine", True), ("fine", True), ("", False)]
    assert [row.comment for row in rows] == ["fine", "fine", ""]
    assert texts(lambda: update([], {"comment": "x"})) == texts(lambda: update(rows, {})) == []


def test_columns_that_are_not_given_have_their_defaults(parts: dict[type[models.Model], int]) -> None:
    given = {"instance_id": parts[ApprovalInstance], "key": "tell:1", "kind": "tell"}
    [key] = insert(SyncOperation, [given])
    row, plain = SyncOperation.objects.get(pk=key), SyncOperation(**given)
    times = {"next_attempt_at", "created_at", "updated_at"}
    assert {name: value for name, value in contents(row).items() if name not in {*times, "id", "state"}} == {
        name: value for name, value in contents(plain).items() if name not in {*times, "id", "state"}
    }
    assert all(abs((getattr(row, name) - getattr(plain, name)).total_seconds()) < 5 for name in times)
    [key] = insert(Quote, [{"quote_number": "CIS-2", "title": "", "customer_name": "", "owner_id": parts[User]}])
    made = Quote.objects.get(pk=key)
    assert made.created_at is not None and made.updated_at is not None


def test_many_rows_keep_their_order(parts: dict[type[models.Model], int]) -> None:
    count = 2 * ROWS + 3
    rows = [{"instance_id": parts[ApprovalInstance], "key": f"tell:{n}", "kind": "tell"} for n in range(count)]
    keys: list[int] = []
    assert len(texts(lambda: keys.extend(insert(SyncOperation, rows)))) == 3
    known = SyncOperation.objects.in_bulk(keys)
    assert [known[key].key for key in keys] == [row["key"] for row in rows]
    assert insert(SyncOperation, []) == []


def test_django_is_asked_once(parts: dict[type[models.Model], int]) -> None:
    asked: list[str] = []
    by_title = Select(lambda: asked.append("select") or Quote.objects.filter(title=Place("title")))  # type: ignore[func-returns-value]
    retitle = Update(lambda: asked.append("update") or Quote.objects.filter(pk=Place("key")), "title")  # type: ignore[func-returns-value]
    for title in ("Pumps", "Valves", "100 %s"):
        assert [row.title for row in by_title.all(title=title)] == ([title] if title == "Pumps" else [])
    for title in ("Valves", "100 %s", "Pumps"):
        assert retitle.write({"title": title}, key=parts[Quote]) == 1
        assert Quote.objects.get().title == title
    assert asked == ["select", "update"]


def test_one_object_is_there_or_missed(parts: dict[type[models.Model], int]) -> None:
    assert READING.get(key=parts[ApprovalInstance]).third_no == "CIS-1"
    with pytest.raises(ObjectDoesNotExist):
        READING.get(key=0)


def test_rows_are_locked_inside_a_transaction_only(transactional_db: None) -> None:
    locking = Select(lambda: Quote.objects.select_for_update(of=("self",)).filter(pk=Place("key")))
    for _again in range(2):
        with pytest.raises(TransactionManagementError):
            locking.all(key=1)
        with transaction.atomic():
            [sql] = [text for text in texts(lambda: locking.all(key=1)) if text.startswith("SELECT")]
        assert sql.endswith('FOR UPDATE OF "approvals_quote"') is (connection.vendor == "postgresql")


def test_a_refused_row_ends_the_transaction_as_with_save(parts: dict[type[models.Model], int]) -> None:
    row = {"instance_id": parts[ApprovalInstance], "key": "tell:1", "kind": "tell"}
    insert(SyncOperation, [row])
    for refused in (
        lambda: insert(SyncOperation, [row]),
        lambda: update([Quote.objects.get()], {"total": -1}),
        lambda: Update(lambda: Quote.objects.filter(pk=Place("key")), "total").write({"total": -1}, key=parts[Quote]),
    ):
        with transaction.atomic():
            with pytest.raises(IntegrityError):
                refused()
            assert connection.needs_rollback
    assert SyncOperation.objects.count() == 1


def test_the_connection_of_a_thread_is_let_go(transactional_db: None) -> None:
    first = Select(lambda: Quote.objects.filter(pk=Place("key")))
    gone: list[weakref.ref[Any]] = []

    def look() -> None:
        assert first.all(key=0) == []
        gone.append(weakref.ref(connections["default"]))
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    gc.collect()
    assert gone[0]() is None
    assert first.all(key=0) == []

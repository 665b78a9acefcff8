"""Statements whose SQL is made once and sent again and again, each time with other values.

The ORM makes the SQL of a query anew whenever it is sent, which takes longer than a database on the same machine needs
to answer. What every decision sends is therefore said once, as a queryset with a ``Place`` for each value that differs:
``Select`` and ``Update`` keep what Django makes of it. ``insert`` and ``update`` do the same for whole rows.

All of it goes through Django's cursors, and values are converted as its fields and back ends do. No signals are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import NoneType
from typing import Any, Generic, TypeAlias, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.sql import UpdateQuery
from django.utils import timezone

M = TypeVar("M", bound=models.Model)
Field: TypeAlias = "models.Field[Any, Any]"
Column: TypeAlias = "tuple[Field, Callable[[], Any]]"
"""A field, and what makes its default."""

PLAIN: dict[type[Field], tuple[type, ...]] = {
    models.CharField: (str, NoneType),
    models.TextField: (str, NoneType),
    models.PositiveIntegerField: (int, NoneType),
    models.ForeignKey: (int, NoneType),
    models.DateTimeField: (NoneType,),
}
"""Values that fields (these very classes, no heirs) store as they are."""
SHAPES = 256
"""How many statements ``insert`` and ``update`` keep."""
ROWS = 20
"""How many rows ``insert`` sends in one statement."""


def for_driver(field: Field, value: Any, connection: BaseDatabaseWrapper) -> Any:
    """``value`` as the driver takes it. Most are that already, and asking the field costs more than all the rest."""
    kind = type(field)
    if isinstance(value, PLAIN.get(kind, ())):
        return value
    if kind is models.DateTimeField and isinstance(value, datetime) and value.tzinfo is not None:
        return connection.ops.adapt_datetimefield_value(value)
    return field.get_db_prep_save(value, connection)


class Place(models.Value):
    """Where a queryset takes a value that is given with each call: a text or a whole number."""

    def __init__(self, name: str, field: Field | None = None) -> None:
        """``field``: of whichever kind its values are, if they have to be converted for the driver."""
        super().__init__(name)
        self.name, self.kind = name, field

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]

    def filled(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> Any:
        value = values[self.name]
        return value if self.kind is None else for_driver(self.kind, value, connection)


@dataclass(frozen=True, slots=True)
class _Sql:
    text: str
    parameters: Sequence[Any]
    """As they are sent, and Places."""

    def execute(self, cursor: Any, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> None:
        filled = [part.filled(values, connection) if type(part) is Place else part for part in self.parameters]
        cursor.execute(self.text, filled)


class _Reader:
    """Makes objects of rows, as the queryset would."""

    def __init__(self, compiler: Any) -> None:
        """``compiler``: of the query; it has made its SQL."""
        # Converters keep the connection that made them, so it must not be that of a thread. This one is never opened.
        compiler.connection = connections.create_connection(DEFAULT_DB_ALIAS)
        kinds = compiler.get_converters([column for column, *_ in compiler.select])
        self._converters = [(place, functions, column) for place, (functions, column) in kinds.items()]
        self._whole = _Part(compiler.klass_info, compiler.select)

    def read(self, row: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
        values = list(row)
        for place, functions, column in self._converters:
            for convert in functions:
                values[place] = convert(values[place], column, connection)
        return self._whole.read(values)


class _Part:
    """The columns of one object among those of a row, and the objects that it refers to.

    Made as unpickling makes it, without the model's ``__init__``, which would look at each of its fields.
    """

    def __init__(self, info: Mapping[str, Any], select: Sequence[Any]) -> None:
        """``info``: the compiler's ``klass_info``."""
        places = info["select_fields"]
        self._columns = slice(places[0], places[-1] + 1)
        self._names = [column.target.attname for column, *_ in select[self._columns]]
        self._model: type[models.Model] = info["model"]
        self._key = places[0] + self._names.index(self._model._meta.pk.attname)
        self._parts = [
            (_Part(related, select), related["local_setter"], related["remote_setter"])
            for related in info.get("related_klass_infos", ())
        ]

    def read(self, values: Sequence[Any]) -> models.Model | None:
        if values[self._key] is None:  # an outer join that found nothing
            return None
        found = self._model.__new__(self._model)
        found._state = state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        found.__dict__.update(zip(self._names, values[self._columns], strict=True))
        for part, refer, refer_back in self._parts:
            related = part.read(values)
            refer(found, related)
            if related is not None:
                refer_back(related, found)
        return found


class Select(Generic[M]):
    """A query for objects, with those of its ``select_related()``."""

    def __init__(self, make: Callable[[], models.QuerySet[M]]) -> None:
        """``make`` is asked for the queryset when the statement is first sent: of whole objects, without annotations
        and ``prefetch_related()``. It may lock them; SQLite has one writer, and locks no rows."""
        self._make = make
        self._made: dict[str, tuple[_Sql, _Reader]] = {}
        self._locks = False

    def all(self, **places: str | int) -> list[M]:
        """Raises TransactionManagementError outside a transaction if it is to lock."""
        connection = connections[DEFAULT_DB_ALIAS]
        sql, reader = self._made.get(connection.vendor) or self._compiled(connection)
        if self._locks and not connection.in_atomic_block:
            raise transaction.TransactionManagementError("rows are locked until the end of a transaction")
        with connection.cursor() as cursor:
            sql.execute(cursor, places, connection)
            rows = cursor.fetchall()
        return [reader.read(row, connection) for row in rows]

    def get(self, **places: str | int) -> M:
        """The one object. Raises as ``all`` does, and ObjectDoesNotExist."""
        found = self.all(**places)
        if len(found) != 1:
            raise ObjectDoesNotExist(f"{len(found)} objects")
        return found[0]

    def _compiled(self, connection: BaseDatabaseWrapper) -> tuple[_Sql, _Reader]:
        compiler: Any = self._make().query.get_compiler(connection=connection)
        made = _Sql(*compiler.as_sql()), _Reader(compiler)
        self._made[connection.vendor], self._locks = made, compiler.query.select_for_update
        return made


class Update:
    """An UPDATE of some columns of a queryset's rows."""

    def __init__(self, make: Callable[[], models.QuerySet[Any]], *columns: str) -> None:
        """``make`` is asked for the rows when the statement is first sent."""
        self._make, self._columns = make, columns
        self._made: dict[str, _Sql] = {}

    def write(self, values: Mapping[str, Any], **places: str | int) -> int:
        """Give the columns ``values``. Returns how many rows there were."""
        connection = connections[DEFAULT_DB_ALIAS]
        sql = self._made.get(connection.vendor) or self._compiled(connection)
        with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            sql.execute(cursor, {**places, **values}, connection)
            return int(cursor.rowcount)

    def _compiled(self, connection: BaseDatabaseWrapper) -> _Sql:
        rows = self._make()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values({name: Place(name, rows.model._meta.get_field(name)) for name in self._columns})
        self._made[connection.vendor] = made = _Sql(*query.get_compiler(connection=connection).as_sql())
        return made


def update(rows: Sequence[models.Model], values: Mapping[str, Any]) -> None:
    """Give all ``rows``, of one model, these ``values``: the objects, and in one statement what is stored."""
    for row in rows:
        for name, value in values.items():
            setattr(row, name, value)
    if not rows or not values:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    text, fields = _update_sql(type(rows[0]), tuple(values), len(rows), connection.vendor)
    changed = [for_driver(field, value, connection) for field, value in zip(fields, values.values(), strict=True)]
    with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
        cursor.execute(text, [*changed, *(row.pk for row in rows)])


@lru_cache(SHAPES)
def _update_sql(model: type[models.Model], names: Sequence[str], count: int, vendor: str) -> tuple[str, list[Field]]:
    """The text, and the fields whose values it takes before the ``count`` keys."""
    quote, key = connections[DEFAULT_DB_ALIAS].ops.quote_name, _key_of(model)
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    places = ", ".join(["%s"] * count)
    text = f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE {key} IN ({places})"  # noqa: S608 - our names
    return text, fields


def insert(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Store new ``rows`` and return their keys, in order. All have the same columns, named by attribute
    (``instance_id``); the others are given their fields' defaults."""
    connection = connections[DEFAULT_DB_ALIAS]
    keys: list[Any] = []
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        text, columns = insert_sql(model, frozenset(some[0]), len(some), connection.vendor)
        parameters = [value for row in some for value in filled(columns, row, connection)]
        with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.execute(f"{text} RETURNING {_key_of(model)}", parameters)
            keys += [key for (key,) in cursor.fetchall()]
    return keys


def filled(columns: Sequence[Column], values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> list[Any]:
    """The parameters of one row."""
    return [
        for_driver(field, values[field.attname] if field.attname in values else default(), connection)
        for field, default in columns
    ]


@lru_cache(SHAPES)
def insert_sql(
    model: type[models.Model], given: frozenset[str], count: int, vendor: str
) -> tuple[str, Sequence[Column]]:
    """The text for ``count`` rows, and the columns whose values are its parameters: those ``given``, and those whose
    default is made anew each time. The others' defaults are part of the text, since every parameter costs its
    quoting."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    names: dict[str, str] = {}
    written: list[Column] = []
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField):
            continue
        literal = None if field.attname in given else _constant(field)
        names[quote(str(field.column))] = literal or "%s"
        if literal is None:
            default = timezone.now if _is_now(field) else field.get_default
            written.append((field, default))
    row = f"({', '.join(names.values())})"
    table = quote(model._meta.db_table)
    text = f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - our names
    return text, written


def _key_of(model: type[models.Model]) -> str:
    return connections[DEFAULT_DB_ALIAS].ops.quote_name(str(model._meta.pk.column))


def _is_now(field: Field) -> bool:
    return getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False)


def _constant(field: Field) -> str | None:
    """The field's default as SQL, if it is always the same and the same to every database."""
    if _is_now(field) or (field.has_default() and callable(field.default)):
        return None
    default = field.get_default()
    if default is None:
        return "NULL"
    if type(default) is int:
        return str(default)
    text = str(default)  # a member of TextChoices as well
    return f"'{text}'" if isinstance(default, str) and re.fullmatch(r"\w*", text) else None

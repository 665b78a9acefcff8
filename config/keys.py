"""The keys that seal secrets: what of the database they open, and sealing everything anew with the first of them.

Sealed columns are found by looking at the models, so a new one needs no entry anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Cast

from config.sealed import SealBroken, Sealed, SealedField, is_current, seal, unseal

BATCH = 200
"""Rows that share a commit."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One secret that no key opens. ``why`` names the key that is missing, where it can be told."""

    row: models.Model
    field: SealedField[Any, Any]
    why: str

    def __str__(self) -> str:
        meta = self.row._meta
        return f"{meta.verbose_name} “{self.row}” ({self.row.pk}), {self.field.verbose_name}: {self.why}"


@dataclass(slots=True)
class Findings:
    """``current``: sealed with the first key already; ``older``: opened by another key, and sealed anew in a rotation;
    ``overtaken``: changed by somebody else meanwhile, hence sealed with the first key by them."""

    current: int = 0
    older: int = 0
    overtaken: int = 0
    broken: list[Broken] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Secret:
    row: models.Model
    field: SealedField[Any, Any]
    ciphertext: str


def sealed_models() -> list[type[models.Model]]:
    """Every table with a sealed column, by name."""
    found = [model for model in apps.get_models(include_auto_created=True) if _is_table(model) and _columns(model)]
    return sorted(found, key=lambda model: model._meta.label)


def count_rows() -> int:
    """How many rows a survey or a rotation looks at."""
    return sum(_rows(model).count() for model in sealed_models())


def survey() -> Findings:
    """Open everything once, changing nothing."""
    findings = Findings()
    for model in sealed_models():
        for row in _rows(model).iterator(chunk_size=BATCH):
            for secret in _secrets(row):
                if _open(secret, findings) is not None:
                    _count(secret, findings)
    return findings


def rotate(tell: Callable[[int], object] = lambda rows: None) -> Findings:
    """Seal anew with the first key whatever another one has sealed; ``tell`` hears how many more rows are done.

    What cannot be opened is left as it is. A rotation that was interrupted is continued by starting it again, and one
    that has nothing to do writes nothing.
    """
    findings = Findings()
    for model in sealed_models():
        for rows in _batches(model):
            with transaction.atomic():
                for row in rows:
                    _seal_anew(row, findings)
            tell(len(rows))
    return findings


def _seal_anew(row: models.Model, findings: Findings) -> None:
    for secret in _secrets(row):
        plaintext = _open(secret, findings)
        if plaintext is None:
            continue
        if is_current(secret.ciphertext) or _replace(secret, plaintext):
            _count(secret, findings)
        else:
            findings.overtaken += 1


def _replace(secret: _Secret, plaintext: str) -> bool:
    """False when the column holds something else by now: a secret that was entered meanwhile must not be undone."""
    name, context = secret.field.name, secret.field.context
    unchanged = _rows(type(secret.row)).filter(pk=secret.row.pk, **{_raw(secret.field): secret.ciphertext})
    return bool(unchanged.update(**{name: Sealed(context, ciphertext=seal(plaintext, context))}))


def _open(secret: _Secret, findings: Findings) -> str | None:
    try:
        return unseal(secret.ciphertext, secret.field.context)
    except SealBroken as error:
        findings.broken.append(Broken(secret.row, secret.field, str(error)))
        return None


def _count(secret: _Secret, findings: Findings) -> None:
    if is_current(secret.ciphertext):
        findings.current += 1
    else:
        findings.older += 1


def _batches(model: type[models.Model]) -> Iterator[Sequence[models.Model]]:
    """By primary key, so that a batch is found again without holding a cursor over the commits between."""
    rows = list(_rows(model).order_by("pk")[:BATCH])
    while rows:
        yield rows
        rows = list(_rows(model).filter(pk__gt=rows[-1].pk).order_by("pk")[:BATCH])


def _rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """The rows with a secret; each column's ciphertext stands beside it as ``raw_<column>``."""
    columns = _columns(model)
    rows = model._base_manager.annotate(**{_raw(column): Cast(column.name, models.TextField()) for column in columns})
    filled = Q()
    for column in columns:
        filled |= ~Q(**{_raw(column): ""})
    return rows.filter(filled)


def _secrets(row: models.Model) -> Iterator[_Secret]:
    for column in _columns(type(row)):
        if ciphertext := getattr(row, _raw(column)):
            yield _Secret(row, column, ciphertext)


def _columns(model: type[models.Model]) -> list[SealedField[Any, Any]]:
    return [column for column in model._meta.local_concrete_fields if isinstance(column, SealedField)]


def _is_table(model: type[models.Model]) -> bool:
    return model._meta.managed and not model._meta.proxy


def _raw(column: SealedField[Any, Any]) -> str:
    return f"raw_{column.name}"

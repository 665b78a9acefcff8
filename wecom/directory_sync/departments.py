"""Departments (doc 90208): one call tells them all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from wecom.directory_api import list_departments
from wecom.directory_sync.apply import Laid, Target, mark_gone, stored_hashes, unlay
from wecom.directory_sync.diff import Kept, PartDifference, Standing, digest
from wecom.directory_sync.fetch import Reading
from wecom.directory_sync.parts import Ask, Part
from wecom.directory_sync.values import number, text, texts
from wecom.models import Department, DirectoryType, WeComConfig

LAID = "wecom_laid_departments"
TARGET = Target(
    Department,
    "{t}.remote_id",
    {
        "remote_id": "NULL",
        "parent_remote_id": "0",
        "name": "''",
        "name_en": "''",
        "order": "0",
        "leaders": "'[]'",
    },
)
TOLD = ("id", "name", "name_en", "department_leader", "parentid", "order")


class Departments(Part):
    kind = DirectoryType.DEPARTMENT
    endpoints = ("department/list",)

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._rows = Department.objects.filter(config=reading.config)
        self._kept = Kept()
        self._missing: list[int] = []

    @classmethod
    def forecast(cls, config: WeComConfig, ask: Ask | None = None) -> int:
        return 1

    def fetch(self) -> None:
        reading = self.reading
        self._standing: Standing[int] = Standing(stored_hashes(self._rows, "remote_id"), believe=not reading.force)
        reading.progress.expect(1)
        told = reading.ask(list_departments)
        reading.progress.fetched(len(told))
        self.difference.fetched = len(told)
        for one in told:
            self._take(one)
        reading.departments = parents(told)

    def _take(self, told: Mapping[str, Any]) -> None:
        remote_id = number(told.get("id"))
        if not remote_id:
            self.difference.refuse(str(told.get("name") or "?"), _("WeCom gave no department ID."))
            return
        content_hash = digest([told.get(key) for key in TOLD])
        change = self._standing.take(remote_id, content_hash)
        if change == "unchanged":
            self.difference.unchanged += 1
        elif change:
            name = text(told, "name", 128)
            self.difference.note(change, name or str(remote_id))
            self._kept.add(
                [
                    remote_id,
                    int(change == "created"),
                    remote_id,
                    number(told.get("parentid")),
                    name,
                    text(told, "name_en", 128),
                    number(told.get("order")),
                    _leaders(told),
                    content_hash,
                ]
            )

    def compare(self) -> PartDifference:
        difference = self.difference
        difference.current = self._standing.current
        if not difference.failed:  # it could be any: nobody can tell what is missing
            self._missing = self._standing.missing()
            names = dict(self._rows.filter(remote_id__in=self._missing[:10]).values_list("remote_id", "name"))
            for remote_id in self._missing:
                difference.note("deleted", names.get(remote_id) or str(remote_id))
        return difference

    def apply(self, now: datetime) -> None:
        reading = self.reading
        if self._kept:
            laid = Laid(TARGET, LAID, self._kept)
            laid.update(reading.config.pk, now=now, since=reading.since)
            laid.insert(reading.config.pk, now=now)
            unlay(LAID)
        mark_gone(self._rows, "remote_id", self._missing, now=now, since=reading.since)


def parents(told: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """Each department's ID and its parent's; what has none is a root (0)."""
    return {key: number(one.get("parentid")) or 0 for one in told if (key := number(one.get("id")))}


def _leaders(told: Mapping[str, Any]) -> str | None:
    leaders = texts(told.get("department_leader"), 64)
    return None if leaders is None else json.dumps(leaders)

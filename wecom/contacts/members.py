"""``change_contact``, members (doc 90970). A row is never created here: the refresh does so, with all that belongs to
it, if the app may see the member at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Lower
from django.utils import timezone

from wecom.contacts.event import APPLIED, IGNORED, NOTED, STALE, UNCHANGED, ContactEvent
from wecom.contacts.refreshes import mark_due
from wecom.contacts.telling import tell
from wecom.models import Department, Follower, Member, MemberDepartment, Origin, RefreshKind
from wecom.reading import text_of

LEFT_THE_COMPANY = 5
_TEXTS = {
    "alias": ("alias", 64),
    "position": ("position", 128),
    "telephone": ("telephone", 64),
    "mobile": ("mobile", 32),
    "email": ("email", 128),
    "bizmail": ("biz_mail", 128),
    "avatar": ("avatar", 500),
}
"""Tag (folded) → column and its length."""


def changed(event: ContactEvent) -> str:
    """``create_user`` and ``update_user``: what came along is written to the row that is there; the rest is read."""
    userid, new = event.text("userid"), event.text("newuserid")
    if not _usable(userid) or (new and not _usable(new)):
        return IGNORED
    if new:
        _rename(event, userid, new)
    current = new or userid
    mark_due(event.config_id, RefreshKind.MEMBER, current)
    if event.text("status") == str(LEFT_THE_COMPANY):
        return _end(event, current)
    member = _find(event.config_id, current)
    if member is None or not _write(member, event.doc):
        return APPLIED if new else NOTED
    tell(event.config_id, RefreshKind.MEMBER, "updated", member.userid)
    return APPLIED


def deleted(event: ContactEvent) -> str:
    """``delete_user``. Read all the same: the callback may be older than a return."""
    userid = event.text("userid")
    if not _usable(userid):
        return IGNORED
    mark_due(event.config_id, RefreshKind.MEMBER, userid)
    return _end(event, userid)


def renamed_long_ago(event: ContactEvent) -> str:
    """A run has seen one leave and another come, but not that both are one person."""
    userid, new = event.text("userid"), event.text("newuserid")
    before, after = _rows(event.config_id, userid).first(), _find(event.config_id, new)
    if not new or before is None or before.deleted_at is None or after is None:
        return STALE
    _take_over(before, after)
    return APPLIED


def _usable(userid: str) -> bool:
    return 0 < len(userid) <= 64 and "\0" not in userid


def _rows(config_id: int, userid: str) -> Any:
    rows = Member.objects.select_for_update().annotate(folded=Lower("userid"))
    return rows.filter(config=config_id, folded=userid.lower())


def _find(config_id: int, userid: str) -> Member | None:
    """The current row that a run has made or adopted; those made by hand are not for WeCom to change."""
    found: Member | None = _rows(config_id, userid).filter(origin=Origin.WECOM, deleted_at=None).first()
    return found


def _end(event: ContactEvent, userid: str) -> str:
    member = _find(event.config_id, userid)
    if member is None:
        return UNCHANGED
    now = timezone.now()
    Member.objects.filter(pk=member.pk).update(deleted_at=now, synced_at=now)
    tell(event.config_id, RefreshKind.MEMBER, "deleted", member.userid)
    return APPLIED


def _write(member: Member, doc: Mapping[str, Any]) -> bool:
    """Only what is told: a tag that is missing says nothing. Whether anything was different."""
    told = _told(doc)
    changes = {name: value for name, value in told.items() if getattr(member, name) != value}
    moved = "department" in doc and _place(member, doc)
    if not changes and not moved:
        return False
    # without its hash, a run writes the row anew, whatever it says
    Member.objects.filter(pk=member.pk).update(**changes, content_hash="", synced_at=timezone.now())
    return True


def _told(doc: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag, (name, longest) in _TEXTS.items():
        if isinstance(doc.get(tag), str):
            found[name] = text_of(doc, tag)[:longest]
    if text_of(doc, "name"):
        found["name"] = text_of(doc, "name")[:64]
    if text_of(doc, "gender") in ("1", "2"):  # 0 is what newer apps are told of everybody
        found["gender"] = text_of(doc, "gender")
    for tag, name, most in (("status", "status", 99), ("maindepartment", "main_department", 2**32 - 1)):
        value = text_of(doc, tag)
        if value.isascii() and value.isdigit() and int(value[:12]) <= most:
            found[name] = int(value)
    if isinstance(doc.get("directleader"), str):
        found["direct_leader"] = text_of(doc, "directleader").partition(",")[0][:64]
    return found


def _place(member: Member, doc: Mapping[str, Any]) -> bool:
    """Move the member to the departments told, those that are known here. Whether that was a change."""
    departments = _numbers(doc.get("department"))
    leading = _numbers(doc.get("isleaderindept"))
    known = dict(
        Department.objects.filter(config=member.config_id, remote_id__in=departments).values_list("remote_id", "pk")
    )
    leads = dict(zip(departments, (number == 1 for number in leading), strict=False))
    wanted = {known[number]: leads.get(number) for number in departments if number in known}
    stored = dict(MemberDepartment.objects.filter(member=member).values_list("department_id", "is_leader"))
    left = stored.keys() - wanted.keys()
    MemberDepartment.objects.filter(member=member, department__in=left).delete()
    joined = [
        MemberDepartment(member=member, department_id=pk, is_leader=bool(leader))
        for pk, leader in wanted.items()
        if pk not in stored
    ]
    MemberDepartment.objects.bulk_create(joined, ignore_conflicts=True)
    other = {pk: leader for pk, leader in wanted.items() if pk in stored and leader not in (None, stored[pk])}
    for pk, leader in other.items():
        MemberDepartment.objects.filter(member=member, department=pk).update(is_leader=leader)
    return bool(left or joined or other)


def _numbers(value: Any) -> list[int]:
    """``1,2``; parallel to other such lists, so that what is no number stays as 0."""
    parts = str(value or "").split(",") if value else []
    return [int(part) if part.isascii() and part.isdigit() and len(part) < 11 else 0 for part in map(str.strip, parts)]


def _rename(event: ContactEvent, userid: str, new: str) -> None:
    """The row stays, with its user and whatever refers to it; only its userid is another."""
    config_id = event.config_id
    before = _rows(config_id, userid).filter(origin=Origin.WECOM).first()
    after = _rows(config_id, new).first()
    if userid.lower() != new.lower():
        mark_due(config_id, RefreshKind.MEMBER, userid)  # somebody else may have got the old one meanwhile
    if before is None:
        return
    if after is not None and after.pk != before.pk:
        _take_over(before, after)
    else:
        now = timezone.now()
        Member.objects.filter(pk=before.pk).update(userid=new, content_hash="", synced_at=now)
        _rename_follower(before.config_id, before.userid, new)
    tell(config_id, RefreshKind.MEMBER, "renamed", new, before=userid)


def _take_over(before: Member, after: Member) -> None:
    """Both rows are one person, and the new one is there already: it gets the link to our user."""
    now = timezone.now()
    user_id, suggested = before.user_id, before.suggested_user_id
    Member.objects.filter(pk=before.pk).update(
        user=None if after.user_id is None else user_id, deleted_at=before.deleted_at or now, synced_at=now
    )
    if after.user_id is None:
        Member.objects.filter(pk=after.pk).update(
            user=user_id, suggested_user=None if user_id else after.suggested_user_id or suggested
        )
    _rename_follower(before.config_id, before.userid, after.userid, member=after)


def _rename_follower(config_id: int, userid: str, new: str, *, member: Member | None = None) -> None:
    followers = Follower.objects.filter(customer__config=config_id).annotate(folded=Lower("userid"))
    there = followers.filter(folded=new.lower())
    if userid.lower() != new.lower():
        followers = followers.exclude(customer__in=there.values("customer"))
    rows = followers.filter(folded=userid.lower()).values_list("pk", flat=True)
    changes: dict[str, Any] = {"userid": new, "content_hash": ""} | ({"member": member} if member else {})
    Follower.objects.filter(pk__in=list(rows)).update(**changes)

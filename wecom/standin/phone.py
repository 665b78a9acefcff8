"""What the phone shows, in the viewer's language: rows of lists, one approval with its flow, messages, events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from wecom.standin import approvals as states
from wecom.standin import flow
from wecom.standin.approvals import CHINA, Approval
from wecom.standin.card_view import card_view
from wecom.standin.cards import shown_card
from wecom.standin.company import Member, display_name, find_member
from wecom.standin.form_template import FormTemplate
from wecom.standin.message_html import message_html
from wecom.standin.messages import messages_of
from wecom.standin.presentation import form_lines

if TYPE_CHECKING:
    from wecom.standin.world import World

# word shown, colour class
STATUS_BADGES: dict[int, tuple[str | Promise, str]] = {
    states.PENDING: (gettext_lazy("In progress"), "open"),
    states.APPROVED: (gettext_lazy("Approved"), "good"),
    states.REJECTED: (gettext_lazy("Rejected"), "bad"),
    states.WITHDRAWN: (gettext_lazy("Withdrawn"), "gone"),
    states.REVOKED: (gettext_lazy("Revoked"), "gone"),
    states.DELETED: (gettext_lazy("Deleted"), "gone"),
    states.PAID: (gettext_lazy("Paid"), "good"),
}
PERSON_BADGES: dict[int, tuple[str | Promise, str]] = {
    flow.AGREED: (gettext_lazy("Agreed"), "good"),
    flow.REJECTED: (gettext_lazy("Rejected"), "bad"),
    flow.TRANSFERRED: (gettext_lazy("Transferred"), "gone"),
    flow.RETURNED: (gettext_lazy("Returned"), "bad"),
    flow.HANDLED: (gettext_lazy("Handled"), "good"),
}
RELATION_WORDS: dict[int, str | Promise] = {
    flow.ALL: gettext_lazy("all must agree"),
    flow.ANY: gettext_lazy("any one is enough"),
    flow.IN_TURN: gettext_lazy("one after another"),
}
NODE_WORDS: dict[int, str | Promise] = {
    flow.APPROVER: gettext_lazy("Approver"),
    flow.COPY: gettext_lazy("Copy to"),
    flow.HANDLER: gettext_lazy("Handler"),
}
EVENT_BADGES: dict[str, tuple[str | Promise, str]] = {
    "waiting": (gettext_lazy("waiting for the answer"), "open"),
    "held": (gettext_lazy("held back"), "open"),
    "queued": (gettext_lazy("queued"), "open"),
    "sending": (gettext_lazy("sending"), "open"),
    "sent": (pgettext_lazy("a callback", "delivered"), "good"),
    "refused": (gettext_lazy("refused"), "bad"),
    "failed": (gettext_lazy("failed"), "bad"),
    "dropped": (gettext_lazy("dropped"), "gone"),
}


def clock_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, CHINA).strftime("%m-%d %H:%M")


def list_view(world: World, member: Member, tab: str) -> list[dict[str, Any]]:
    """The newest hundred approvals of one tab: ``todo``, ``sent`` or ``done``."""
    if tab == "sent":
        found = world.approvals.search(creator=member.userid)
    else:
        found = world.approvals.search(person=(member.userid, tab))
    return [_row(approval, world.templates.get(approval.template_id)) for approval in found]


def approval_view(approval: Approval, template: FormTemplate | None, member: Member) -> dict[str, Any]:
    word, colour = STATUS_BADGES.get(approval.status, (str(approval.status), "gone"))
    mine = approval.creator == member.userid
    pending = approval.status == states.PENDING
    return {
        "approval": approval,
        "applicant": display_name(approval.creator),
        "applicant_member": find_member(approval.creator),
        "status_word": word,
        "colour": colour,
        "waiting_names": _(", ").join(display_name(userid) for userid in approval.waiting_for),
        "submitted": clock_text(approval.applied_at),
        "lines": form_lines(approval, template),
        "steps": [_step(node, approval) for node in approval.nodes],
        "comments": [_comment(comment) for comment in approval.comments],
        "is_oa": approval.kind == states.OA,
        "can_decide": member.userid in approval.waiting_for,
        "can_withdraw": mine and pending,
        "can_revoke": mine and approval.status == states.APPROVED and approval.kind == states.OA,
    }


def message_rows(world: World, userid: str) -> list[dict[str, Any]]:
    """The newest hundred messages: each has ``html`` or, if it is one, a ``card``."""
    return [_message(message) for message in messages_of(world, userid, delivered_only=True)]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    kind, content = message["msgtype"], message["content"]
    is_card = kind == "template_card"
    return {
        "html": "" if is_card else message_html(kind, content),
        "card": card_view(shown_card(content, message["updated"])) if is_card else None,
        "task_id": content.get("task_id", ""),
        "recalled": message["recalled"],
        "at": clock_text(message["sent_at"]),
    }


def customer_rows(world: World, userid: str) -> list[dict[str, Any]]:
    """The member's customers, newest first, with what the member has noted."""
    names = {key: name for group in world.customers.groups().values() for key, name in group["tags"].items()}
    return [
        {
            "id": customer["external_userid"],
            "name": customer["name"],
            "company": customer.get("corp_name", ""),
            "remark": notes["remark"],
            "tags": [names[key] for key in notes["tag_id"] if key in names],
            "since": clock_text(notes["createtime"]) if notes.get("createtime") else "",
        }
        for customer, notes in reversed(world.customers.of_members([userid]))
    ]


def event_rows(world: World, limit: int) -> list[dict[str, Any]]:
    rows = []
    for event in world.events.latest(limit=limit):
        word, colour = EVENT_BADGES[event["state"]]
        rows.append(
            {
                "subject": event["subject"],
                "name": event["name"],
                "word": word,
                "colour": colour,
                "attempts": event["attempts"],
                "error": event["error"],
                "at": datetime.fromtimestamp(event["created_at"], CHINA).strftime("%H:%M:%S"),
            }
        )
    return rows


def _row(approval: Approval, template: FormTemplate | None) -> dict[str, Any]:
    word, colour = STATUS_BADGES.get(approval.status, (str(approval.status), "gone"))
    waiting = _(", ").join(display_name(userid) for userid in approval.waiting_for)
    lines = [(line.title, line.text) for line in form_lines(approval, template) if line.text][:4]
    return {
        "number": approval.number,
        "name": approval.name,
        "applicant": display_name(approval.creator),
        "lines": lines or [("", text) for text in approval.summary],
        "status_word": _("Waiting for %(names)s") % {"names": waiting} if waiting else word,
        "colour": colour,
        "at": clock_text(approval.applied_at),
    }


def _step(node: flow.Node, approval: Approval) -> dict[str, Any]:
    current = set(approval.waiting_for)
    several = len(node["people"]) > 1 and node["type"] != flow.COPY
    return {
        "title": NODE_WORDS[node["type"]],
        "colour": _node_colour(node, current),
        "relation": RELATION_WORDS[node["rel"]] if several else "",
        "people": [_person(person, node, current) for person in node["people"]],
    }


def _node_colour(node: flow.Node, current: set[str]) -> str:
    if node["type"] == flow.COPY:
        return "gone"
    if node["status"] in PERSON_BADGES:
        return PERSON_BADGES[node["status"]][1]
    return "open" if any(person["userid"] in current for person in node["people"]) else "gone"


def _person(person: flow.Person, node: flow.Node, current: set[str]) -> dict[str, Any]:
    word, colour = PERSON_BADGES.get(person["status"], ("", "gone"))
    if (
        not person["at"]
        and node["type"] != flow.COPY
        and node["status"] == flow.PENDING
        and person["userid"] in current
    ):
        word, colour = _("Deciding"), "open"
    return {
        "name": display_name(person["userid"]),
        "word": word,
        "colour": colour,
        "speech": person["speech"],
        "at": clock_text(person["at"]) if person["at"] else "",
    }


def _comment(comment: dict[str, Any]) -> dict[str, Any]:
    return {"name": display_name(comment["userid"]), "text": comment["text"], "at": clock_text(comment["at"])}

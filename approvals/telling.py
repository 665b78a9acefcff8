"""What members read in WeCom when something was done here: which quote, who did what, what is left to do there."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import links
from approvals.models import ApprovalInstance, SyncOperation
from approvals.money import money
from wecom.client import WeComClient
from wecom.messages import LONGEST_TEXT, cut_bytes, send_text

KEPT = 90
"""Bytes that a text keeps when the message is too long: 30 Chinese characters."""

_HEADLINES: dict[str, Promise] = {
    "start": gettext_lazy("One step is left: start the approval of your quote in WeCom."),
    # queued by versions without cards only
    "submit": gettext_lazy("%(actor)s submitted a quote for your approval."),
    "approve": gettext_lazy("%(actor)s approved a quote."),
    "reject": gettext_lazy("%(actor)s rejected a quote."),
    "withdraw": gettext_lazy("%(actor)s withdrew a quote from approval."),
    "delegate": gettext_lazy("%(actor)s asks you to decide on a quote."),
    "escalate": gettext_lazy("A quote has waited for too long; please see to its approval."),
    "remind": gettext_lazy("%(actor)s reminds you of a quote that waits for your approval."),
}
_LEFT_TO_DO: dict[str, Promise] = {
    # WeCom has no API for any of these (fact sheet 4.1): only a person can bring its own form to the same end
    "approve": gettext_lazy("Left to do in WeCom: an approver presses “同意” (agree) on approval %(number)s."),
    "reject": gettext_lazy("Left to do in WeCom: an approver presses “驳回” (reject) on approval %(number)s."),
    "withdraw": gettext_lazy("Left to do in WeCom: the applicant presses “撤销” (withdraw) on approval %(number)s."),
}


def text_of(instance: ApprovalInstance, row: SyncOperation) -> str:
    """The message of one operation, in the default language and within what WeCom takes. The same row always gives the
    same text as long as WeCom's state does not change, so that a repetition is recognised as one."""
    with translation.override(settings.LANGUAGE_CODE):
        words = {
            "comment": row.payload["comment"],
            "title": instance.snapshot["title"],
            "customer": instance.snapshot["customer_name"],
            "actor": row.payload["actor"] or _("Quotebridge"),
        }
        text = _with(words, instance, row)
        return _with(_shortened(words, len(text.encode()) - LONGEST_TEXT), instance, row)


def _with(words: dict[str, str], instance: ApprovalInstance, row: SyncOperation) -> str:
    content, verb = instance.snapshot, row.payload["verb"]
    lines = [
        str(_HEADLINES[verb]) % {"actor": words["actor"]},
        _("Quote: %(number)s %(title)s") % {"number": instance.third_no, "title": words["title"]},
        _("Customer: %(customer)s") % {"customer": words["customer"]},
        _("Total: %(currency)s %(total)s") % {"currency": content["currency"], "total": money(content["total"])},
    ]
    if words["comment"]:
        lines.append(_("Comment: %(comment)s") % {"comment": words["comment"]})
    # the time makes a second reminder another message; WeCom would swallow an equal one
    lines.append(_("Time: %(time)s") % {"time": f"{timezone.localtime(row.created_at):%Y-%m-%d %H:%M}"})
    if instance.remote_pending and verb in _LEFT_TO_DO:
        lines.append(str(_LEFT_TO_DO[verb]) % {"number": instance.sp_no or instance.third_no})
    # to the pages for the phone: they are read in WeCom, by people of whom not all may open the admin
    lines.append(links.start(instance.pk) if verb == "start" else links.page(instance.pk))
    return "\n".join(lines)


def _shortened(words: dict[str, str], excess: int) -> dict[str, str]:
    """``words`` without ``excess`` bytes, taken from the first ones first. What is left to do and the link come last
    in the message and are what it is sent for: a cut at its end would take just these."""
    shortened = {}
    for name, text in words.items():
        size = len(text.encode())
        shortened[name] = cut_bytes(text, max(size - excess, min(size, KEPT)))
        excess -= size - len(shortened[name].encode())
    return shortened


def send(client: WeComClient, to: Sequence[str], text: str) -> list[str]:
    """Send it, before any mere notice; returns the members whom WeCom could not reach. Raises
    ``wecom.errors.WeComError``, and MemberBusy while one of them has had too many messages."""
    result = send_text(client, to=to, text=text, lane="decision")
    return [*result.invalid_users, *result.unlicensed_users]

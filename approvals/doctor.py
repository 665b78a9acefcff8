"""The doctor's questions about approvals: the templates, what is read of forms, what goes out, and what comes in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import mapping
from approvals.models import (
    ApprovalInstance,
    ApprovalTemplate,
    ApprovalTimeline,
    Flow,
    OperationKind,
    Outcome,
    SyncOperation,
)
from config.doctor import Result, failed, passed, register_check
from config.durable import Status
from wecom.client import WeComClient, for_config
from wecom.configs import default_config
from wecom.doctor_asking import Answer, Question, judge, put, trouble, troubles
from wecom.errors import PermanentError
from wecom.findings import Words
from wecom.models import WeComConfig
from wecom.oa import TemplateDetail, get_approval_detail, get_template_detail
from wecom.open_approval import get_open_approval

LATELY = timedelta(days=1)
BY_CALLBACK = "callback"
BY_COMPARISON = ("reconcile", "manual")
"""``source`` of the entries in the timeline (``approvals.incoming``)."""
REFUSED_IN_A_ROW = 2
GONE = frozenset({301025})
"""errcode for a number that WeCom does not know (any more)."""


def templates() -> Result:
    """Every template that quotes may be submitted with: readable, and its mapping complete. Writes nothing."""
    used = _used_templates()
    if not used:
        return failed(
            _("No approval template is set."),
            _("Enter the template's ID (in the address of its edit page in WeCom) at the WeCom app."),
        )
    questions = [
        Question(one.config, _("Template %(template)s") % {"template": one}, partial(_read, one)) for one in used
    ]
    names = ", ".join(map(str, used))
    return judge(
        troubles(put(questions), _unfit), _("Templates and mappings are complete: %(names)s.") % {"names": names}
    )


def _used_templates() -> list[ApprovalTemplate]:
    """Of the approval app; those of the engine have no controls of ours."""
    used = list(ApprovalTemplate.objects.filter(config__enabled=True, flow=Flow.WECOM_OA).select_related("config"))
    config = default_config()
    if config and config.template_id and not any(one.template_id == config.template_id for one in used):
        used.append(ApprovalTemplate(config=config, template_id=config.template_id))
    return used


def _read(template: ApprovalTemplate) -> tuple[ApprovalTemplate, TemplateDetail]:
    return template, get_template_detail(for_config(template.config), template.template_id)


def _unfit(answer: Answer) -> Words | None:
    said = trouble(answer)
    if said is not None:
        return said
    template, detail = answer.value
    wrong = mapping.problems(template.mapping or mapping.suggest(detail), detail)
    if not wrong:
        return None
    return Words(" ".join(wrong), _("Open the template in admin, press “Suggest mapping” and correct it."))


def forms() -> Result:
    """The newest form of each kind can be read: what every comparison with WeCom lives by."""
    lately = ApprovalInstance.objects.filter(config__enabled=True).select_related("config").order_by("-pk")
    form = lately.filter(flow=Flow.WECOM_OA).exclude(sp_no="").first()
    started = lately.filter(flow=Flow.WECOM_ENGINE).first()
    questions = [
        Question(one.config, number, partial(_ask, call, one.config, number))
        for one, call in ((form, get_approval_detail), (started, get_open_approval))
        if one is not None and one.config is not None and (number := one.sp_no if one is form else one.third_no)
    ]
    return judge(troubles(put(questions)), _("Forms can be read in WeCom."))


def _ask(call: Callable[[WeComClient, str], object], app: WeComConfig, number: str) -> None:
    try:
        call(for_config(app), number)
    except PermanentError as error:
        if error.errcode not in GONE:
            raise


def outgoing() -> Result:
    """What was to be done at WeCom lately was done. These calls change something there, so they are not tried, but what
    became of the last ones is known. One that was refused is that quote's trouble, several in a row are the app's."""
    ended = SyncOperation.objects.filter(
        status__in=(Status.SUCCEEDED, Status.FAILED, Status.DEAD), updated_at__gte=timezone.now() - LATELY
    )
    for kind in OperationKind:
        lasts = list(ended.filter(kind=kind).order_by("-updated_at", "-pk")[:REFUSED_IN_A_ROW])
        if not lasts or lasts[0].status == Status.SUCCEEDED:
            continue
        sentence = _("%(kind)s: the last attempt failed. %(error)s") % {
            "kind": kind.label,
            "error": lasts[0].last_error,
        }
        if lasts[0].status == Status.FAILED:
            return failed(sentence, _("It is repeated by itself; if that does not help, look at worker and network."))
        if len(lasts) == REFUSED_IN_A_ROW and all(row.status == Status.DEAD for row in lasts):
            remedy = _(
                "Remove the cause, then press “Retry” at the sync operations in admin, or submit the quotes again."
            )
            return failed(sentence, remedy)
    return passed(_("What was to be done at WeCom lately is done."))


def arrivals() -> Result:
    """Whether WeCom's news come as callbacks: the last one must not have been found by comparison only."""
    lately = ApprovalTimeline.objects.filter(recorded_at__gte=timezone.now() - LATELY).order_by("-pk")
    found = lately.filter(outcome=Outcome.APPLIED, details__source__in=BY_COMPARISON)
    last = found.select_related("instance").first()
    if last is None:
        return passed(_("No news of approvals was missed during the last day."))
    if lately.filter(pk__gt=last.pk, details__source=BY_CALLBACK).exists():
        count = found.count()
        return passed(
            _("Callbacks arrive; %(count)d changes of the last day were found by comparison.") % {"count": count}
        )
    return failed(
        _("%(approval)s changed in WeCom and no callback told of it; the comparison found it.")
        % {"approval": last.instance.third_no},
        _(
            "Press “Check the callback” at the WeCom app in admin. If it passes, look in WeCom's console: the address "
            "under 接收消息 of the app, and 审批 → 可调用接口的应用, without which no approval is told of."
        ),
    )


register_check("approvals.template", gettext_lazy("Approval template"), templates, place=70)
register_check("approvals.forms", gettext_lazy("Forms in WeCom"), forms, place=72)
register_check("approvals.outgoing", gettext_lazy("Sent to WeCom"), outgoing, place=74)
register_check("approvals.arrivals", gettext_lazy("Callbacks arrive"), arrivals, place=82)

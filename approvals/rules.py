"""Who approves a quote, in which flow and with which template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from approvals.actors import Actor
from approvals.exceptions import InvalidInput
from approvals.models import ApprovalRule, ApprovalTemplate, Flow, Quote, Relation
from wecom.configs import default_config
from wecom.models import Member, WeComConfig

MOST_APPROVERS = 30
"""More than anybody asks for; a bound on what a request can make WeCom do."""
LONGEST_COMMENT = 500
"""Characters of a comment or a reason. A message in WeCom shows its beginning where the message gets too long."""
WECOM_FLOWS = (Flow.WECOM_OA, Flow.WECOM_ENGINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one submission will be approved."""

    flow: str
    config: WeComConfig | None = None
    template: ApprovalTemplate | None = None
    approvers: list[str] = field(default_factory=list)
    """WeCom userids; empty: the template's own flow."""
    relation: str = Relation.ALL


def plan(quote: Quote, *, flow: str | None, approvers: Sequence[str] | None) -> Plan:
    """The request's wishes, else the matching rule, else the template's own flow.

    Raises InvalidInput (with the remedy) when the plan could not be carried out.
    """
    if flow is not None and flow not in Flow.values:
        raise InvalidInput({"flow": [_("Unknown flow.")]})
    if approvers is not None:
        require_userids("approvers", approvers)
    rule = matching_rule(quote)
    chosen_flow = flow or (rule.flow if rule else Flow.WECOM_OA)
    chosen_approvers = list(dict.fromkeys(approvers or (rule.approvers if rule else [])))
    relation = rule.relation if rule and not approvers else Relation.ALL
    if chosen_flow == Flow.INTERNAL:
        if not chosen_approvers:
            raise InvalidInput({"approvers": [_("Name the approvers, or add an approval rule that does.")]})
        return Plan(chosen_flow, default_config(), None, chosen_approvers, relation)
    config, template = _template(chosen_flow, rule)
    return Plan(chosen_flow, config, template, chosen_approvers, relation)


def matching_rule(quote: Quote) -> ApprovalRule | None:
    """The first active rule, by priority, for the quote's currency and total."""
    for rule in ApprovalRule.objects.filter(active=True).select_related("template__config"):
        in_range = rule.min_amount <= quote.total and (rule.max_amount is None or quote.total < rule.max_amount)
        if in_range and rule.currency in ("", quote.currency):
            return rule
    return None


def _template(flow: str, rule: ApprovalRule | None) -> tuple[WeComConfig, ApprovalTemplate]:
    if rule and rule.template and rule.flow == flow:
        return rule.template.config, rule.template
    config = default_config()
    if config is None or not config.enabled:
        raise InvalidInput({"flow": [_("No WeCom app is set up. Add one under “WeCom apps”, or use another flow.")]})
    if not config.template_id:
        raise InvalidInput(
            {"flow": [_("No approval template is set. Enter its ID at the WeCom app or in an approval rule.")]}
        )
    template, _created = ApprovalTemplate.objects.get_or_create(config=config, template_id=config.template_id)
    return config, template


def applicant_userid(plan: Plan, actor: Actor) -> str:
    """In whose name the submission goes out: the submitter's linked member, else the app's default applicant.

    Raises InvalidInput when a WeCom flow has neither, and when nobody but the submitter could decide here.
    """
    _require_other_approvers(plan, actor)
    userid = actor.userid or (plan.config.default_applicant if plan.config else "")
    if not userid and plan.flow in WECOM_FLOWS:
        raise InvalidInput(
            {
                "applicant": [
                    _(
                        "You are not linked to a WeCom member, and the WeCom app has no default applicant. "
                        "Link your user under “Members”, or set a default applicant at the WeCom app."
                    )
                ]
            }
        )
    return userid


def _require_other_approvers(plan: Plan, actor: Actor) -> None:
    """Applicants do not decide on their own quotes, unless they are superusers: it would wait forever."""
    if plan.flow != Flow.INTERNAL or (actor.user is not None and actor.user.is_superuser):
        return
    own = [userid.casefold() == actor.userid.casefold() for userid in plan.approvers]
    if all(own) if plan.relation == Relation.ANY else any(own):
        raise InvalidInput({"approvers": [_("Nobody decides on their own quote. Name somebody else.")]})


def require_userids(name: str, userids: Sequence[str]) -> None:
    """Raises InvalidInput on field ``name`` unless every entry can be a WeCom userid."""
    if len(userids) > MOST_APPROVERS:
        raise InvalidInput({name: [_("Too many people.")]})
    for userid in userids:
        try:
            Member._meta.get_field("userid").clean(userid, None)
        except ValidationError as error:
            raise InvalidInput({name: [_("“%(userid)s” is not a WeCom userid.") % {"userid": userid}]}) from error

"""Who approves a quote, in which flow and with which template."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from approvals import chain as chains
from approvals.actors import Actor
from approvals.chain import Asked, Chain, Node
from approvals.exceptions import InvalidInput
from approvals.models import ApprovalRule, ApprovalTemplate, Flow, Quote, Relation
from wecom.configs import default_config
from wecom.models import WeComConfig

LONGEST_COMMENT = 500
"""Characters of a comment or a reason. A message in WeCom shows its beginning where the message gets too long."""
WECOM_FLOWS = (Flow.WECOM_OA, Flow.WECOM_ENGINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one submission will be approved."""

    flow: str
    config: WeComConfig | None = None
    template: ApprovalTemplate | None = None
    chain: Chain = ()
    """Empty: the template's own flow."""
    rule: ApprovalRule | None = None


def plan(quote: Quote, *, flow: str | None, approvers: Asked | None) -> Plan:
    """The request's wishes, else the matching rule, else the template's own flow.

    Raises InvalidInput (with the remedy) when the plan could not be carried out.
    """
    if flow is not None and flow not in Flow.values:
        raise InvalidInput({"flow": [_("Unknown flow.")]})
    asked = chains.asked_for("approvers", approvers or ())
    rule = matching_rule(quote)
    chosen_flow = flow or (rule.flow if rule else Flow.WECOM_OA)
    chain = asked or (chains.read(rule.chain) if rule else ())
    if chosen_flow == Flow.WECOM_ENGINE:
        if asked:
            raise InvalidInput({"approvers": [_("WeCom's approval engine takes the approvers from its own template.")]})
        chain = ()
    if chosen_flow == Flow.INTERNAL:
        if not chain:
            raise InvalidInput({"approvers": [_("Name the approvers, or add an approval rule that does.")]})
        return Plan(chosen_flow, default_config(), None, chain, rule)
    config, template = _template(chosen_flow, rule)
    return Plan(chosen_flow, config, template, chain, rule)


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
    template_id = config.engine_template_id if flow == Flow.WECOM_ENGINE else config.template_id
    if not template_id:
        raise InvalidInput(
            {"flow": [_("No approval template is set. Enter its ID at the WeCom app or in an approval rule.")]}
        )
    template, _created = ApprovalTemplate.objects.get_or_create(
        config=config, template_id=template_id, defaults={"flow": flow}
    )
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
    if any(_needs(node, actor.userid) for node in plan.chain):
        raise InvalidInput({"approvers": [_("Nobody decides on their own quote. Name somebody else.")]})


def _needs(node: Node, userid: str) -> bool:
    """Whether a node cannot be completed without the member ``userid``."""
    own = [approver.casefold() == userid.casefold() for approver in node.userids]
    return all(own) if node.relation == Relation.ANY else any(own)

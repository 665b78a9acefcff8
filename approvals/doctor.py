"""The doctor's question to the approval app: does the template exist, and do its controls carry a quote?"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import mapping
from approvals.models import ApprovalTemplate
from config.doctor import Result, failed, passed, register_check
from wecom.client import for_config
from wecom.configs import default_config
from wecom.errors import WeComError
from wecom.oa import get_template_detail


def templates() -> Result:
    """Every template that quotes may be submitted with: readable, and its mapping complete. Writes nothing."""
    used = list(ApprovalTemplate.objects.filter(config__enabled=True).select_related("config"))
    config = default_config()
    if config and config.template_id and not any(template.template_id == config.template_id for template in used):
        used.append(ApprovalTemplate(config=config, template_id=config.template_id))
    if not used:
        return failed(
            _("No approval template is set."),
            _("Enter the template's ID (in the address of its edit page in WeCom) at the WeCom app."),
        )
    for template in used:
        found = _examine(template)
        if not found.ok:
            return found
    return passed(_("Templates and mappings are complete: %(names)s.") % {"names": ", ".join(map(str, used))})


def _examine(template: ApprovalTemplate) -> Result:
    try:
        detail = get_template_detail(for_config(template.config), template.template_id)
    except WeComError as error:
        return failed(_("Template %(template)s: %(why)s") % {"template": template, "why": error.sentence}, error.remedy)
    wrong = mapping.problems(template.mapping or mapping.suggest(detail), detail)
    if wrong:
        return failed(
            _("Template %(template)s: %(why)s") % {"template": template, "why": " ".join(wrong)},
            _("Open the template in admin, press “Suggest mapping” and correct it."),
        )
    return passed("")


register_check("approvals.template", gettext_lazy("Approval template"), templates, place=70)

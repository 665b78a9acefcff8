"""What makes a submission impossible on our side, and what a person can do about a failed one."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.durable import PermanentFailure
from wecom.errors import describe

_CHECK_MAPPING = _("Correct the mapping of the approval template, then submit the quote again.")
REMEDIES: dict[str, Promise] = {
    "mapping_missing": _("Open the approval template, press “Suggest mapping” and complete it; then submit again."),
    "mapping_wrong": _CHECK_MAPPING,
    "value_missing": _("Fill in what is missing in the quote, then submit it again."),
    "option_missing": _("Add the option to the WeCom template, or map another control; then submit again."),
    "template_missing": _("Enter a template at the WeCom app or in an approval rule, then submit the quote again."),
    "config_missing": _("Add a WeCom app under “WeCom apps”, then submit the quote again."),
    "approvers_wrong": _("Choose approvers in the WeCom app's visible scope, or extend the scope; then submit again."),
}
"""What a person can do, by the code of a SubmissionProblem."""


def explained(code: str, message: str) -> tuple[str, str]:
    """Sentence and remedy for a failed submission: those of WeCom's error where ``code`` is a number, else our own
    ``message`` with the remedy of its code; ``""`` for a code that nobody has foreseen."""
    if code.lstrip("-").isdigit():
        info = describe(int(code))
        return str(info.sentence), str(info.remedy)
    return message, str(REMEDIES.get(code, ""))


class SubmissionProblem(PermanentFailure):
    """``code``: a word for clients (``mapping_missing`` …); ``str(e)``: what is wrong and what to do about it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

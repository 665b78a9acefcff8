"""The calls that tell whether an app has a right, one for each capability. None of them changes anything at WeCom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from wecom.callback_ips import get_callback_ips
from wecom.client import WeComClient
from wecom.directory_api import contact_client, list_department_ids
from wecom.errors import PermanentError, WeComError
from wecom.findings import Finding
from wecom.messages import NO_RECIPIENT
from wecom.models import Capability
from wecom.oa import get_template_detail

NOBODY = "quotebridge-probe-nobody"
"""A userid that no company has. That it cannot be reached is the answer of an app that may send."""
NOBODY_REACHED = frozenset({NO_RECIPIENT, 81013})
WORKS = Finding("works", True)


class AssistantRefused(Exception):
    """The app may, but not the sync assistant, whose secret it also has. ``error``: what WeCom said."""

    def __init__(self, error: WeComError) -> None:
        super().__init__(repr(error))
        self.error = error


def _token(client: WeComClient) -> Finding:
    """Asked anew: a cached token says nothing about the secret that stands in the row now."""
    client.tokens.ask_anew()
    return WORKS


def _trusted_ip(client: WeComClient) -> Finding:
    get_callback_ips(client)
    return WORKS


def _approvals(client: WeComClient) -> Finding:
    """A search over the last minute, for one number (doc 91816)."""
    end = timezone.now()
    window = {"starttime": f"{(end - timedelta(minutes=1)).timestamp():.0f}", "endtime": f"{end.timestamp():.0f}"}
    client.post("oa/getapprovalinfo", {**window, "new_cursor": "", "size": 1, "filters": []})
    return WORKS


def _template(client: WeComClient) -> Finding:
    if not client.config.template_id:
        return Finding("no_template", None)
    get_template_detail(client, client.config.template_id)
    return WORKS


def _messages(client: WeComClient) -> Finding:
    return _send_to_nobody(client, {"msgtype": "text", "text": {"content": "Quotebridge"}})


def _cards(client: WeComClient) -> Finding:
    """A card with buttons: WeCom wants a callback address for those (43012)."""
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "Quotebridge"},
        "task_id": NOBODY,
        "button_list": [{"text": "OK", "key": "ok"}],
    }
    return _send_to_nobody(client, {"msgtype": "template_card", "template_card": card})


def _send_to_nobody(client: WeComClient, message: dict[str, object]) -> Finding:
    """An app without the right is told so; one with it is told that nobody is there (docs 90236, 90313)."""
    try:
        client.post("message/send", {"touser": NOBODY, "agentid": int(client.config.agent_id), **message})
    except PermanentError as error:
        if error.errcode not in NOBODY_REACHED:
            raise
    return WORKS


def _directory(client: WeComClient) -> Finding:
    found = WORKS if list_department_ids(client) else Finding("no_department")
    assistant = contact_client(client.config)
    if assistant is not None:
        _ask_assistant(assistant)
    return found


def _ask_assistant(assistant: WeComClient) -> None:
    """Its secret, and one userid with it (doc 96067): what only the assistant may."""
    try:
        assistant.tokens.ask_anew()
        assistant.post("user/list_id", {"limit": 1}, lane="bulk")
    except WeComError as error:
        raise AssistantRefused(error) from error


def _customers(client: WeComClient) -> Finding:
    answer = client.get("externalcontact/get_follow_user_list")
    return WORKS if answer.get("follow_user") else Finding("no_follower")


QUESTIONS: dict[Capability, Callable[[WeComClient], Finding]] = {
    Capability.TOKEN: _token,
    Capability.TRUSTED_IP: _trusted_ip,
    Capability.APPROVALS: _approvals,
    Capability.TEMPLATE: _template,
    Capability.MESSAGES: _messages,
    Capability.CARDS: _cards,
    Capability.DIRECTORY: _directory,
    Capability.CUSTOMERS: _customers,
}
"""All but Capability.CALLBACK (``wecom.callback_doctor``). Each may raise WeComError and AssistantRefused."""

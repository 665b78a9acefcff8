"""The words that messages about projects come with. Rows in the database are made from them once (``MessageTemplate``);
from then on people edit those.

(channel, language) → (subject, text). WeCom swallows a text that it has delivered within four hours: the time in it
keeps two changes to the same state apart.
"""

from __future__ import annotations

from notifications.models import ChannelKind

WECOM, SMS, EMAIL = ChannelKind.WECOM.value, ChannelKind.SMS.value, ChannelKind.EMAIL.value
CHANNELS = (WECOM, SMS, EMAIL)
Words = dict[tuple[str, str], tuple[str, str]]

STATUS_CHANGED: Words = {
    (WECOM, "zh-hans"): (
        "",
        (
            "项目进展：{{ title }}\n"
            "{{ old_status }} → {{ new_status }}\n"
            "编号：{{ project_id }}（{{ type }}）\n"
            "时间：{{ time }}"
        ),
    ),
    (SMS, "zh-hans"): ("", "您的项目{{ title }}已更新为“{{ new_status }}”，编号{{ project_id }}，{{ time }}。"),
    (EMAIL, "zh-hans"): (
        "项目进展：{{ title }} {{ new_status }}",
        (
            "您好！\n\n"
            "项目“{{ title }}”有新的进展：\n\n"
            "    {{ old_status }} → {{ new_status }}\n\n"
            "编号：{{ project_id }}（{{ type }}）\n"
            "时间：{{ time }}\n\n"
            "如有疑问，请联系负责该项目的同事。本邮件由系统发出，无需回复。"
        ),
    ),
    (WECOM, "en"): (
        "",
        (
            "News of {{ title }}\n"
            "{{ old_status }} → {{ new_status }}\n"
            "Project {{ project_id }} ({{ type }})\n"
            "Time: {{ time }}"
        ),
    ),
    (SMS, "en"): ("", "Your project {{ title }} ({{ project_id }}) is now “{{ new_status }}”, {{ time }}."),
    (EMAIL, "en"): (
        "{{ title }}: {{ new_status }}",
        (
            "Hello,\n\n"
            "there is news of the project “{{ title }}”:\n\n"
            "    {{ old_status }} → {{ new_status }}\n\n"
            "Project: {{ project_id }} ({{ type }})\n"
            "Time: {{ time }}\n\n"
            "If you have questions, please ask the colleague who looks after the project. This message is automatic; "
            "there is no need to reply."
        ),
    ),
}

LINK_REQUESTED: Words = {
    (WECOM, "zh-hans"): (
        "",
        (
            "{{ person }}（{{ role }}）的项目链接已过期，想要一个新链接。\n"
            "项目：{{ title }}（{{ project_id }}）\n"
            "客户：{{ customer }}\n"
            "时间：{{ time }}\n"
            "请在此生成后发给对方：{{ address }}"
        ),
    ),
    (SMS, "zh-hans"): ("", "{{ person }}需要项目{{ title }}（{{ project_id }}）的新链接，请登录后台生成。"),
    (EMAIL, "zh-hans"): (
        "{{ person }}需要“{{ title }}”的新链接",
        (
            "您好！\n\n"
            "{{ person }}（{{ role }}）的项目链接已过期，想要一个新链接。\n\n"
            "项目：{{ title }}（{{ project_id }}）\n"
            "客户：{{ customer }}\n"
            "时间：{{ time }}\n\n"
            "请在此生成后发给对方：\n{{ address }}"
        ),
    ),
    (WECOM, "en"): (
        "",
        (
            "{{ person }} ({{ role }}) asks for a new project link; the old one has expired.\n"
            "Project: {{ title }} ({{ project_id }})\n"
            "Customer: {{ customer }}\n"
            "Time: {{ time }}\n"
            "Make one here and send it on: {{ address }}"
        ),
    ),
    (SMS, "en"): (
        "",
        "{{ person }} needs a new link to project {{ title }} ({{ project_id }}). Please make one in the admin.",
    ),
    (EMAIL, "en"): (
        "{{ person }} needs a new link to “{{ title }}”",
        (
            "Hello,\n\n"
            "{{ person }} ({{ role }}) asks for a new project link; the old one has expired.\n\n"
            "Project: {{ title }} ({{ project_id }})\n"
            "Customer: {{ customer }}\n"
            "Time: {{ time }}\n\n"
            "Make one here and send it on:\n{{ address }}"
        ),
    ),
}

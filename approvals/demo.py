"""What ``seed_demo`` puts in beside quotes: people, rules, and the directory of the stand-in's made-up company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User

from approvals import chain as chains
from approvals import mapping
from approvals.chain import Node
from approvals.models import ApprovalRule, ApprovalTemplate, Flow, Relation
from approvals.roles import create_roles
from approvals.simulate import StandinFailed
from wecom.directory_sync import runs
from wecom.models import DirectoryRunStatus, DirectoryType, Member, WeComConfig

PASSWORD = "quotebridge"  # noqa: S105 - printed on the screen of the demo


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str
    role: str
    """Name of a group; empty for the superuser."""
    userid: str = ""


PEOPLE = (
    Person("admin", "系统管理员", ""),
    Person("li.mei", "李梅", "sales", "li.mei"),
    Person("wang.boss", "王建国", "approver", "wang.boss"),
    Person("zhao.vp", "赵敏", "approver", "zhao.vp"),
    Person("admin.it", "林峰", "integration_admin", "admin.it"),
    Person("auditor", "审计员", "auditor"),
)
MEMBERS = (
    # people whom the template's own flow names; they decide on the phone only
    ("sun.director", "孙立"),
    ("finance01", "钱芳"),
    ("chen.yu", "陈宇"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """``least`` and ``below``: amounts; ``overdue``: columns of a rule about reminders and escalation."""

    name: str
    currency: str
    least: int
    below: int | None
    flow: Flow
    chain: tuple[Node, ...]
    overdue: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "currency": self.currency,
            "min_amount": self.least,
            "max_amount": self.below,
            "flow": self.flow,
            "chain": chains.stored(self.chain),
            **self.overdue,
        }


EITHER = Node(("wang.boss", "zhao.vp"), Relation.ANY)
IN_TURN = Node(("zhao.vp", "wang.boss"), Relation.IN_TURN)
WHEN_LATE = {"remind_after": 4, "escalate_after": 24, "escalate_to": "sun.director"}
RULES = (
    Rule("5 万元以下：总经理", "CNY", 0, 50_000, Flow.WECOM_OA, (Node(("wang.boss",)),)),
    Rule("5 万至 50 万元：任一领导", "CNY", 50_000, 500_000, Flow.WECOM_OA, (EITHER,)),
    Rule("50 万元以上：依次审批", "CNY", 500_000, None, Flow.WECOM_OA, (IN_TURN,)),
    # with cards
    Rule("1 万美元以下：任一领导，超时催办", "USD", 0, 10_000, Flow.INTERNAL, (EITHER,), WHEN_LATE),
    Rule("1 万美元以上：财务先审，再由任一领导", "USD", 10_000, None, Flow.INTERNAL, (Node(("finance01",)), EITHER)),
)


def seed_people(config: WeComConfig) -> int:
    """Users, roles and members that are missing; returns how many users were created."""
    create_roles(Group.objects, Permission.objects)
    existing = set(User.objects.filter(username__in=[p.username for p in PEOPLE]).values_list("username", flat=True))
    missing = [person for person in PEOPLE if person.username not in existing]
    password = make_password(PASSWORD) if missing else ""
    for person in missing:
        user = User.objects.create(
            username=person.username,
            first_name=person.name,
            password=password,
            is_staff=True,
            is_superuser=not person.role,
        )
        if person.role:
            user.groups.add(Group.objects.get(name=person.role))
        if person.userid:
            Member.objects.update_or_create(
                config=config, userid=person.userid, defaults={"name": person.name, "user": user}
            )
    if missing:
        for userid, name in MEMBERS:
            Member.objects.get_or_create(config=config, userid=userid, defaults={"name": name})
    return len(missing)


def seed_rules(config: WeComConfig) -> ApprovalTemplate:
    """The template, and who approves which amount. Existing rules stay as they are."""
    template, _created = ApprovalTemplate.objects.get_or_create(config=config, template_id=config.template_id)
    if not ApprovalRule.objects.exists():
        ApprovalRule.objects.bulk_create(
            ApprovalRule(priority=10 * place, template=template if rule.flow == Flow.WECOM_OA else None, **rule.columns)
            for place, rule in enumerate(RULES, start=1)
        )
    return template


def seed_mapping(template: ApprovalTemplate) -> None:
    """As the button does it. Raises ``wecom.errors.WeComError``."""
    if not template.mapping:
        mapping.ready_detail(template)


def seed_directory(config: WeComConfig) -> None:
    """Departments, members and customers of the stand-in's company. Raises what a failed run says."""
    run = runs.run(runs.open_run(config, DirectoryType.FULL))
    if run.status != DirectoryRunStatus.SUCCESS:
        raise StandinFailed(run.message)

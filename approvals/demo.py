"""What ``seed_demo`` puts in: people, rules, and quotes in every state.

The states are not written, they happen: quotes are created, submitted and decided through the engine, and what WeCom
decides is decided by the people of the stand-in and read back. The userids are those of its made-up company.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from approvals import chain as chains
from approvals import engine, mapping, operations, quotes
from approvals.actors import actor_for
from approvals.chain import Node
from approvals.models import ApprovalInstance, ApprovalRule, ApprovalTemplate, Channel, Flow, Quote, Relation
from approvals.reconcile import reconcile
from approvals.roles import create_roles
from approvals.simulate import press
from wecom.models import Member, WeComConfig

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
        rules: tuple[tuple[str, str, int, int | None, str, list[str], str], ...] = (
            ("5 万元以下：总经理", "CNY", 0, 50_000, Flow.WECOM_OA, ["wang.boss"], Relation.ALL),
            ("5 万至 50 万元：任一领导", "CNY", 50_000, 500_000, Flow.WECOM_OA, ["wang.boss", "zhao.vp"], Relation.ANY),
            ("50 万元以上：依次审批", "CNY", 500_000, None, Flow.WECOM_OA, ["zhao.vp", "wang.boss"], Relation.IN_TURN),
            ("美元报价：本系统审批", "USD", 0, None, Flow.INTERNAL, ["zhao.vp"], Relation.ALL),
        )
        ApprovalRule.objects.bulk_create(
            ApprovalRule(
                name=name,
                priority=10 * place,
                currency=currency,
                min_amount=least,
                max_amount=below,
                flow=flow,
                template=template if flow == Flow.WECOM_OA else None,
                chain=chains.stored((Node(tuple(approvers), relation),)),
            )
            for place, (name, currency, least, below, flow, approvers, relation) in enumerate(rules, start=1)
        )
    return template


def seed_mapping(template: ApprovalTemplate) -> None:
    """As the button does it. Raises ``wecom.errors.WeComError``."""
    if not template.mapping:
        mapping.ready_detail(template)


class Story:
    """One quote and what becomes of it."""

    def __init__(self, title: str, customer: str, *items: tuple[str, str, str, str], currency: str = "CNY") -> None:
        self.title, self.customer, self.items, self.currency = title, customer, items, currency

    def draft(self) -> Quote:
        items = [
            {"name": name, "specification": spec, "quantity": Decimal(quantity), "unit_price": Decimal(price)}
            for name, spec, quantity, price in self.items
        ]
        data: dict[str, Any] = {
            "title": self.title,
            "customer_name": self.customer,
            "contact": "采购部",
            "phone": "021-55500100",
            "currency": self.currency,
            "valid_until": timezone.localdate() + timedelta(days=30),
            "items": items,
        }
        return quotes.create_quote(data=data, actor=by("li.mei"))

    def submitted(self, *, flow: str | None = None, approvers: list[str] | None = None) -> ApprovalInstance:
        """Submitted; with a WeCom flow really handed over. Without WeCom it stays on its way."""
        instance = engine.submit(quote=self.draft(), actor=by("li.mei"), flow=flow, approvers=approvers)
        operations.run_due()
        instance.refresh_from_db()
        return instance


def by(username: str) -> Any:
    """That person, in admin."""
    return actor_for(User.objects.get(username=username), Channel.INTERNAL)


def in_wecom(instance: ApprovalInstance, *actions: str, speech: str = "") -> None:
    """The stand-in's people act, and the result is read back (no callback: the web server may not run yet)."""
    for action in actions:
        press(instance.sp_no, action, speech=speech, event=False)
        reconcile([instance.pk])


def here(flow: str = Flow.INTERNAL) -> dict[str, Any]:
    """Decided in this system, by Wang."""
    return {"flow": flow, "approvers": ["wang.boss"]}


def tell_local_stories() -> None:
    """Everything that needs no WeCom."""
    Story("三号车间水泵更换", "华东机电有限公司", ("离心泵", "DN50", "3", "1200.50"), ("密封件", "", "6", "35")).draft()
    Story("年度备件框架", "苏州精工制造", ("轴承", "6205", "200", "18.60"), ("皮带", "B-1250", "40", "42")).draft()
    Story("Export valves", "Northwind Trading", ("Gate valve", "DN80", "12", "310"), currency="USD").submitted()
    approved = Story("冷却塔维保", "宁波化工", ("维保服务", "12 个月", "1", "26800")).submitted(**here())
    engine.approve(instance=approved, actor=by("wang.boss"), comment="同意，按合同执行")
    rejected = Story("真空机组", "无锡新材料", ("真空机组", "VP-200", "1", "48600")).submitted(**here())
    engine.reject(instance=rejected, actor=by("wang.boss"), reason="单价高于去年同型号，请重新核价")
    withdrawn = Story("变频器改造", "常州纺织", ("变频器", "15kW", "4", "5300")).submitted(**here())
    engine.withdraw(instance=withdrawn, actor=by("li.mei"), comment="客户要求改型号")
    revised = Story("空压机站房", "嘉兴食品", ("螺杆空压机", "22kW", "2", "19800")).submitted(**here())
    engine.approve(instance=revised, actor=by("wang.boss"))
    quotes.revise(quote=revised.quote, actor=by("li.mei"))


def tell_wecom_stories() -> None:
    """Decided by the people in the stand-in. Raises ``approvals.simulate.StandinFailed``."""
    Story("污水泵站一期", "杭州水务", ("潜污泵", "WQ100", "4", "6800")).submitted()
    Story("生产线气动系统", "合肥汽配", ("气缸", "SC63", "120", "380"), ("电磁阀", "4V210", "160", "96")).submitted()
    in_wecom(Story("锅炉给水泵", "南通热电", ("给水泵", "DG46", "1", "43500")).submitted(), "agree", speech="同意")
    in_wecom(Story("试验台架", "上海研究所", ("台架", "定制", "1", "39000")).submitted(), "reject", speech="预算未批")
    in_wecom(Story("临时租赁", "绍兴建材", ("柴油泵", "租赁", "2", "8000")).submitted(), "agree", "revoke")
    in_wecom(Story("重复报价", "台州模具", ("冷水机", "10HP", "1", "21000")).submitted(), "withdraw", "delete")
    waiting = Story("消防泵组", "温州物业", ("消防泵", "XBD8", "2", "15600")).submitted(**here(Flow.WECOM_OA))
    engine.approve(instance=waiting, actor=by("wang.boss"), comment="已在后台同意")
    disputed = Story("数控机床刀具", "金华机械", ("刀具", "CNMG", "500", "36")).submitted(**here(Flow.WECOM_OA))
    engine.approve(instance=disputed, actor=by("wang.boss"), comment="后台先批")
    in_wecom(disputed, "reject", speech="手机上驳回了")
    tell_refused_story()


def tell_refused_story() -> None:
    """WeCom refuses an approver who is no member in the app's scope, and says so with its own error code."""
    Story("外部顾问审批", "台湾贸易", ("咨询服务", "", "1", "5000")).submitted(
        flow=Flow.WECOM_OA, approvers=["guo.guest"]
    )

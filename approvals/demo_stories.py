"""The quotes of ``seed_demo``, in every state there is.

The states are not written, they happen: quotes are created, submitted and decided through the engine, and what WeCom
decides is decided by the people of the stand-in and read back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from approvals import batches, engine, operations, quotes
from approvals.actors import Actor, actor_for
from approvals.models import ApprovalInstance, BatchVerb, Channel, Flow, Quote
from approvals.reconcile import reconcile
from approvals.simulate import press

Item = tuple[str, str, str, str]
"""Name, specification, quantity, unit price."""


def rows(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [
        {"name": name, "specification": specification, "quantity": Decimal(quantity), "unit_price": Decimal(price)}
        for name, specification, quantity, price in items
    ]


class Story:
    """One quote and what becomes of it."""

    def __init__(self, title: str, customer: str, *items: Item, currency: str = "CNY") -> None:
        self.title, self.customer, self.items, self.currency = title, customer, items, currency

    def draft(self) -> Quote:
        data: dict[str, Any] = {
            "title": self.title,
            "customer_name": self.customer,
            "contact": "采购部",
            "phone": "021-55500100",
            "currency": self.currency,
            "valid_until": timezone.localdate() + timedelta(days=30),
            "items": rows(self.items),
        }
        return quotes.create_quote(data=data, actor=by("li.mei"))

    def submitted(
        self, *, flow: str | None = None, approvers: list[str] | None = None, comment: str = ""
    ) -> ApprovalInstance:
        """Submitted; with a WeCom flow really handed over. Without WeCom it stays on its way."""
        return submit(self.draft(), flow=flow, approvers=approvers, comment=comment)


def submit(quote: Quote, **asked: Any) -> ApprovalInstance:
    instance = engine.submit(quote=quote, actor=by("li.mei"), **asked)
    operations.run_due()
    instance.refresh_from_db()
    return instance


def by(username: str) -> Actor:
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
    approved = Story("冷却塔维保", "宁波化工", ("维保服务", "12 个月", "1", "26800")).submitted(**here())
    engine.approve(instance=approved, actor=by("wang.boss"), comment="同意，按合同执行")
    rejected = Story("真空机组", "无锡新材料", ("真空机组", "VP-200", "1", "48600")).submitted(**here())
    engine.reject(instance=rejected, actor=by("wang.boss"), reason="单价高于去年同型号，请重新核价")
    withdrawn = Story("变频器改造", "常州纺织", ("变频器", "15kW", "4", "5300")).submitted(**here())
    engine.withdraw(instance=withdrawn, actor=by("li.mei"), comment="客户要求改型号")
    revised = Story("空压机站房", "嘉兴食品", ("螺杆空压机", "22kW", "2", "19800")).submitted(**here())
    engine.approve(instance=revised, actor=by("wang.boss"))
    quotes.revise(quote=revised.quote, actor=by("li.mei"))


def tell_card_stories() -> None:
    """Decided here, with cards on phones: the rules for US dollars."""
    Story("Export valves", "Northwind Trading", ("Gate valve", "DN80", "12", "310"), currency="USD").submitted(
        comment="客户周五前要，交期六周"
    )
    raised = Story("Spare parts kit", "Harbour Dredging", ("Impeller", "WQ100", "8", "415"), currency="USD")
    first = raised.submitted()
    engine.reject(instance=first, actor=by("zhao.vp"), reason="运费没有算进去")
    revised = quotes.revise(quote=first.quote, actor=by("li.mei"))
    items = rows([*raised.items, ("Freight", "CIF", "1", "260")])
    submit(quotes.update_quote(quote=revised, data={"items": items}, actor=by("li.mei")), comment="已加运费")
    agreed = Story("Booster set", "Gulf Utilities", ("Booster set", "3×15kW", "1", "8600"), currency="USD").submitted()
    engine.approve(instance=agreed, actor=by("zhao.vp"), comment="同意")
    Story("Pump station", "Baltic Port", ("Pump", "WQ400", "2", "16400"), currency="USD").submitted()
    chain = Story("Desalination skid", "Red Sea Resorts", ("RO skid", "20 m³/h", "1", "31500"), currency="USD")
    half_way = chain.submitted(comment="首单，请尽快")
    engine.approve(instance=half_way, actor=Actor(Channel.WECOM, userid="finance01", name="钱芳"), comment="账期可接受")
    tell_batch_story()


def tell_batch_story() -> None:
    """Wang agrees to three at once; one of them waits for somebody else."""
    mine = [
        Story("备用电机", "镇江造船", ("电机", "7.5kW", "2", "2350")).submitted(**here()),
        Story("阀门年检", "扬州自来水", ("年检", "48 台", "1", "9600")).submitted(**here()),
    ]
    finance = Story("Filter press", "Nordic Pulp", ("Filter press", "XM100", "1", "14800"), currency="USD").submitted()
    chosen = [instance.pk for instance in (*mine, finance)]
    batches.open_batch(verb=BatchVerb.APPROVE, ids=chosen, actor=by("wang.boss"), comment="批量同意")
    batches.run_due()
    operations.run_due()


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


def tell_engine_story() -> None:
    """Li still has to start it, on the page to which a message leads."""
    Story("年度维保合同", "连云港港务", ("维保", "12 个月", "1", "88000")).submitted(flow=Flow.WECOM_ENGINE)

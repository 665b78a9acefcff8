"""Made-up projects: the same number gives the same project, about 1 KB of JSON.

Our own people in them are members of the WeCom stand-in's company, so that messages to them arrive on its phones.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any

from projects.standin.words import TYPES, WAYS

CHINA = timezone(timedelta(hours=8))
PREFIXES = {"presale": "PS", "aftersales": "AS", "sales": "SO"}
BODY_BYTES = 1080

SALESMEN = (("li.mei", "李梅"), ("chen.yu", "陈宇"), ("zhou.lan", "周岚"))
PRESALE_ENGINEER, SERVICE_ENGINEER = ("he.engineer", "何涛"), ("liu.engineer", "刘洋")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN_NAMES = ["芳", "敏", "静", "强", "磊", "洋", "勇", "建国", "志强", "海燕", "晓东", "文博", "雅婷", "子涵", "思远"]
CITIES = ["苏州", "无锡", "杭州", "宁波", "嘉兴", "南京", "常州", "合肥", "南通", "绍兴", "温州", "台州"]
TRADES = ["精工机械", "水务", "新材料", "纺织", "食品", "热电", "汽车零部件", "化工", "电子", "制药", "建材", "包装"]
STREETS = ["工业园区星湖街", "高新区科技路", "经开区创业大道", "滨江区江南大道", "新城区人民路", "港区振兴路"]
PLACES = ["一号车间", "二期厂房", "三号线", "动力站", "锅炉房", "污水站", "中心机房", "南区"]
DEVICES = [
    *(("离心泵", "IS100-80"), ("螺杆空压机", "GA37"), ("冷却塔", "CT-200"), ("变频柜", "VFD-90")),
    *(("真空机组", "VP-200"), ("板式换热器", "BR06"), ("锅炉给水泵", "DG46"), ("除尘器", "DMC-96")),
    *(("消防泵组", "XBD8"), ("反渗透设备", "RO-10T")),
]
TITLES = {
    "presale": ["{place}{device}选型方案", "{place}{device}节能改造", "{device}技术交流与报价"],
    "aftersales": ["{place}{device}异响检修", "{device}年度维保", "{place}{device}停机抢修"],
    "sales": ["{place}{device}采购", "{device}备件供货", "{place}{device}交钥匙工程"],
}
REMARKS = [
    "现场电源为三相 380 V，进场前需办理动火证。",
    "客户希望夜间施工，避开白班生产。",
    "旧设备由客户自行拆除，基础尺寸已复核。",
    "备件已从中心仓调拨，预计三个工作日到货。",
    "与设计院确认过管径，图纸见合同附件三。",
    "验收时需提供性能曲线和出厂检验报告。",
    "客户要求每周五下午通报一次进度。",
    "门卫登记需提前一天报备车牌号。",
    "质保期内每季度回访一次。",
    "运输需加固防震，卸货使用客户行车。",
]
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=CHINA)


def made_up_project(number: int) -> dict[str, Any]:
    """The project with this running number."""
    chance = random.Random(number)  # noqa: S311 - nothing secret
    kind = tuple(TYPES)[number % len(TYPES)]
    device, model = chance.choice(DEVICES)
    city = chance.choice(CITIES)
    began = BEGINNING + timedelta(minutes=37 * (number % 9000))
    customer = {
        "role": "customer",
        "user_id": f"C{number:06d}",
        "name": chance.choice(SURNAMES) + chance.choice(GIVEN_NAMES),
        "phone": f"13{chance.randrange(10**9):09d}",
        "email": f"c{number:06d}@customer.example",
    }
    project: dict[str, Any] = {
        "id": f"{PREFIXES[kind]}-{number:06d}",
        "type": kind,
        "title": chance.choice(TITLES[kind]).format(place=chance.choice(PLACES), device=device),
        "status": chance.choice(WAYS[kind]),
        "customer_name": f"{city}{chance.choice(TRADES)}有限公司",
        "phone": customer["phone"],
        "updated_at": (began + timedelta(hours=chance.randrange(200))).isoformat(),
        "stakeholders": [customer, *_our_people(kind, chance)],
        "created_at": began.isoformat(),
        "address": f"{city}市{chance.choice(STREETS)} {chance.randrange(1, 400)} 号",
        "device": f"{device} {model}",
    }
    return _filled(project | _facts(kind, number, began, chance), chance)


def _our_people(kind: str, chance: random.Random) -> list[dict[str, str]]:
    salesman, engineer = chance.choice(SALESMEN), SERVICE_ENGINEER if kind == "aftersales" else PRESALE_ENGINEER
    return [
        {"role": "salesman", "user_id": salesman[0], "name": salesman[1], "wecom_userid": salesman[0]},
        {"role": "engineer", "user_id": engineer[0], "name": engineer[1], "wecom_userid": engineer[0]},
    ]


def _facts(kind: str, number: int, began: datetime, chance: random.Random) -> dict[str, Any]:
    """What only a project of this type has."""
    later = (began + timedelta(days=chance.randrange(5, 60), hours=3)).isoformat()
    amount = f"{chance.randrange(80, 90_000) * 10}.00"
    if kind == "presale":
        return {"budget": amount, "expected_at": later, "site_survey": chance.choice(("已勘察", "待勘察"))}
    if kind == "aftersales":
        return {
            "serial_number": f"QM{chance.randrange(10**8):08d}",
            "under_warranty": chance.random() < 0.6,
            "visit_time": later,
            "site_phone": f"15{chance.randrange(10**9):09d}",
        }
    return {
        "contract_number": f"HT-2026-{number:06d}",
        "amount": amount,
        "payment_time": (began + timedelta(days=2)).isoformat(),
        "delivery_time": later,
        "carrier": chance.choice(("顺丰重货", "德邦物流", "专车直送")),
        "tracking_number": f"SF{chance.randrange(10**12):012d}",
    }


def _filled(project: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """With as many remarks as it takes to reach the size."""
    remark = ""
    room = BODY_BYTES - len(str(project).encode()) - 10
    for sentence in chance.sample(REMARKS, len(REMARKS)):
        if len(remark.encode()) + len(sentence.encode()) > room:
            break
        remark += sentence
    return project | {"remark": remark}

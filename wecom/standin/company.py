"""The made-up company that lives in the stand-in: a department tree and its members.

The userids are stable. The demo data and the tests name the same people:

    userid         name    position        department         in the app's scope
    li.mei         李梅    销售经理        7 华东销售组       yes
    chen.yu        陈宇    销售代表        7 华东销售组       yes
    zhou.lan       周岚    销售代表        8 华南销售组       yes
    sun.director   孙立    销售总监        2 销售部           yes
    wang.boss      王建国  总经理          3 总经办           yes
    zhao.vp        赵敏    副总经理        3 总经办           yes
    finance01      钱芳    财务经理        4 财务部           yes
    finance02      吴静    会计            4 财务部           yes
    he.engineer    何涛    售前工程师      5 工程部           yes
    liu.engineer   刘洋    售后工程师      5 工程部           yes
    admin.it       林峰    信息系统管理员  6 信息部           yes
    xu.legal       徐洁    法务            3 总经办, 6 信息部 yes
    guo.guest      郭强    外部顾问        9 外部顾问         no

``guo.guest`` exists to be refused: WeCom answers 301055 when he submits, and does not show him. ``crowd000`` to
``crowd999`` can be written to and are in no list: many recipients for benches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Department:
    id: int
    name: str
    name_en: str
    parent_id: int
    order: int
    leaders: tuple[str, ...] = ()
    in_scope: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    userid: str
    name: str
    alias: str
    position: str
    departments: tuple[int, ...]
    leader: str = ""
    telephone: str = ""

    @property
    def main_department(self) -> int:
        return self.departments[0]

    @property
    def short_name(self) -> str:
        """What WeCom writes on the picture of somebody without a photo."""
        return self.name[-2:]

    @property
    def hue(self) -> int:
        """One of five colours for that picture."""
        return MEMBERS.index(self) % 5 if self in MEMBERS else 0


DEPARTMENTS: tuple[Department, ...] = (
    Department(1, "启明智造设备有限公司", "Qiming Equipment", 0, 100000000),
    Department(2, "销售部", "Sales", 1, 9000, ("sun.director",)),
    Department(3, "总经办", "Executive Office", 1, 10000, ("wang.boss",)),
    Department(4, "财务部", "Finance", 1, 8000, ("finance01",)),
    Department(5, "工程部", "Engineering", 1, 7000, ("he.engineer",)),
    Department(6, "信息部", "IT", 1, 6000, ("admin.it",)),
    Department(7, "华东销售组", "Sales East", 2, 2000, ("li.mei",)),
    Department(8, "华南销售组", "Sales South", 2, 1000),
    Department(9, "外部顾问", "Consultants", 1, 100, in_scope=False),
)

MEMBERS: tuple[Member, ...] = (
    Member("li.mei", "李梅", "Mei", "销售经理", (7,), "sun.director", "021-5550-0101"),
    Member("chen.yu", "陈宇", "Yu", "销售代表", (7,), "li.mei", "021-5550-0102"),
    Member("zhou.lan", "周岚", "Lan", "销售代表", (8,), "sun.director", "020-5550-0103"),
    Member("sun.director", "孙立", "Li", "销售总监", (2,), "zhao.vp"),
    Member("wang.boss", "王建国", "Jianguo", "总经理", (3,)),
    Member("zhao.vp", "赵敏", "Min", "副总经理", (3,), "wang.boss"),
    Member("finance01", "钱芳", "Fang", "财务经理", (4,), "zhao.vp"),
    Member("finance02", "吴静", "Jing", "会计", (4,), "finance01"),
    Member("he.engineer", "何涛", "Tao", "售前工程师", (5,), "zhao.vp"),
    Member("liu.engineer", "刘洋", "Yang", "售后工程师", (5,), "he.engineer"),
    Member("admin.it", "林峰", "Feng", "信息系统管理员", (6,), "zhao.vp"),
    Member("xu.legal", "徐洁", "Jie", "法务", (3, 6), "wang.boss"),
    Member("guo.guest", "郭强", "Qiang", "外部顾问", (9,)),
)

_DEPARTMENTS_BY_ID = {department.id: department for department in DEPARTMENTS}
_CROWD = re.compile(r"crowd\d{3}")
_MEMBERS_BY_FOLDED_ID = {member.userid.casefold(): member for member in MEMBERS}


def find_department(department_id: int) -> Department | None:
    """A department of the app's visible scope; None when there is none or the app may not see it."""
    department = _DEPARTMENTS_BY_ID.get(department_id)
    return department if department and department.in_scope else None


def visible_departments(below: int | None = None) -> list[Department]:
    """The departments the app may see: all of them, or ``below`` and everything under it."""
    visible = [department for department in DEPARTMENTS if department.in_scope]
    if below is None:
        return visible
    wanted = {below}
    for department in visible:  # parents stand before their children in DEPARTMENTS
        if department.parent_id in wanted:
            wanted.add(department.id)
    return [department for department in visible if department.id in wanted]


def find_member(userid: str) -> Member | None:
    """A member by userid, which WeCom compares without regard to case (doc 90195)."""
    if _CROWD.fullmatch(userid):
        return Member(userid, userid, userid, "", (5,))
    return _MEMBERS_BY_FOLDED_ID.get(userid.casefold())


def find_visible_member(userid: str) -> Member | None:
    """A member inside the app's visible scope; None for strangers and for those outside it."""
    member = find_member(userid)
    return member if member and any(find_department(number) for number in member.departments) else None


def visible_members(department_id: int | None = None) -> list[Member]:
    """Members the app may see; with a department only its direct ones (``user/list`` is one level deep)."""
    return [
        member
        for member in MEMBERS
        if find_visible_member(member.userid) and (department_id is None or department_id in member.departments)
    ]


def display_name(userid: str) -> str:
    """The member's name as the phone shows it; the userid itself for somebody unknown."""
    member = find_member(userid)
    return member.name if member else userid

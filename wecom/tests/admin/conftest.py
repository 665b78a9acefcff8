from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from wecom.models import (
    Department,
    DirectorySyncRun,
    ExternalContact,
    Follower,
    Member,
    MemberDepartment,
    Origin,
    Tag,
    TagGroup,
    WeComConfig,
)
from wecom.tests.peers import Peer


@pytest.fixture
def config(app: WeComConfig, peer: Peer, db: None) -> WeComConfig:
    app.is_default = True
    app.name = "Quotebridge"
    app.save()
    return app


@pytest.fixture
def rows(config: WeComConfig) -> dict[str, Any]:
    """One row for each page, and a few beside it."""
    root = Department.objects.create(config=config, remote_id=1, name="总部", leaders=["wang.boss"])
    sales = Department.objects.create(config=config, remote_id=2, parent_remote_id=1, name="销售部", order=10)
    Department.objects.create(config=config, remote_id=3, parent_remote_id=1, name="研发部", order=20)
    boss = Member.objects.create(config=config, userid="Wang.Boss", name="王总", origin=Origin.WECOM, status=1)
    li = Member.objects.create(
        config=config, userid="li.mei", name="李<b>梅", origin=Origin.WECOM, status=1, main_department=2,
        position="Sales", mobile="13900001111",
    )  # fmt: skip
    MemberDepartment.objects.create(member=li, department=root)
    MemberDepartment.objects.create(member=li, department=sales, is_leader=True)
    MemberDepartment.objects.create(member=boss, department=root)
    gone = Member.objects.create(
        config=config, userid="old", name="老周", origin=Origin.WECOM, deleted_at=timezone.now()
    )
    MemberDepartment.objects.create(member=gone, department=root)
    manual = Member.objects.create(config=config, userid="hand", name="Hand", origin=Origin.MANUAL)
    customer = ExternalContact.objects.create(
        config=config, external_userid="wm1", name="张<b>客户", corp_name="华东机电"
    )
    follower = Follower.objects.create(
        customer=customer, userid="li.mei", member=li, remark="老客户", remark_mobiles=["13812348888"]
    )
    Follower.objects.create(customer=customer, userid="stranger", remark="x")
    group = TagGroup.objects.create(config=config, group_id="g1", name="客户等级")
    tag = Tag.objects.create(config=config, group=group, tag_id="t1", name="重要")
    follower.tags.add(tag)
    now = timezone.now()
    run = DirectorySyncRun.objects.create(
        config=config, sync_type="full", status="partial", started_at=now, finished_at=now,
        message="Some <b>failed</b>.", fetched=3,
    )  # fmt: skip
    return {
        "department": sales,
        "member": li,
        "externalcontact": customer,
        "taggroup": group,
        "directorysyncrun": run,
        "root": root,
        "boss": boss,
        "gone": gone,
        "manual": manual,
        "tag": tag,
    }


@pytest.fixture
def lena(db: None) -> User:
    """Whom li.mei may be."""
    return User.objects.create_user("lena", is_staff=True)

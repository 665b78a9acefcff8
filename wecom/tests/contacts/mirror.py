"""What is current here, in one picture that can be compared with WeCom's."""

from __future__ import annotations

from typing import Any

from wecom.models import Department, ExternalContact, Follower, Member, Tag, TagGroup, WeComConfig


def picture(config: WeComConfig) -> dict[str, Any]:
    current = {"config": config, "deleted_at": None}
    followers = Follower.objects.filter(customer__config=config, customer__deleted_at=None, deleted_at=None)
    return {
        "departments": {
            str(one.remote_id): [one.name, one.parent_remote_id] for one in Department.objects.filter(**current)
        },
        "members": {
            one.userid: [one.name, sorted(one.departments.values_list("remote_id", flat=True)), one.mobile]
            for one in Member.objects.filter(**current)
        },
        "groups": {one.group_id: [one.name, one.order] for one in TagGroup.objects.filter(**current)},
        "tags": {one.tag_id: [one.group.group_id, one.name] for one in Tag.objects.filter(**current)},
        "customers": {one.external_userid: one.name for one in ExternalContact.objects.filter(**current)},
        "follows": {
            f"{one.customer.external_userid} {one.userid}": [
                one.remark,
                sorted(one.tags.values_list("tag_id", flat=True)),
            ]
            for one in followers
        },
    }

"""The whole way with real processes: somebody does something in WeCom, its callback comes, and it stands here."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from config.testing.ports import reserved_port
from config.testing.processes import Stack, wait_until
from wecom.configs import default_config
from wecom.directory_sync import runs
from wecom.models import ContactRefresh, Member, WeComConfig
from wecom.tests.contacts.mirror import picture
from wecom.tests.vectors import AES_KEY, CORP_ID, TOKEN

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "standin-secret"


@pytest.fixture
def company(stack: Stack, settings: Any) -> Any:
    """Stand-in, web and worker; the directory has been read once. Returns a caller of the stand-in's hooks."""
    port = reserved_port()
    app = {
        "WECOM_CORP_ID": CORP_ID,
        "WECOM_AGENT_ID": "1000042",
        "WECOM_SECRET": SECRET,
        "WECOM_CALLBACK_TOKEN": TOKEN,
        "WECOM_ENCODING_AES_KEY": AES_KEY,
    }
    stack.environment |= app
    standin = stack.standin(callback_url=f"http://127.0.0.1:{port}/wecom/callback")
    settings.WECOM_API_BASE_URL = standin.url
    for name, value in app.items():
        setattr(settings, name, int(value) if name == "WECOM_AGENT_ID" else value)
    stack.web(port=port)
    stack.worker()

    def act(path: str, **body: Any) -> Any:
        answer = requests.post(f"{standin.url}/standin/api/{path}", json=body, timeout=15)
        assert answer.status_code == 200, answer.text
        return answer.json()

    act("tags/g", name="等级", tags={"vip": "重要"})
    act("customers", external_userid="wmFirst", userid="li.mei", name="王强", tag_id=["vip"])
    assert runs.run(runs.open_run(_config(), "full")).status == "success"
    return act


def _config() -> WeComConfig:
    config = default_config()
    assert config is not None
    return config


def test_what_happens_in_wecom_stands_here_soon(company: Any) -> None:
    config = _config()
    before = picture(config)
    assert before["customers"] == {"wmFirst": "王强"}
    assert before["follows"] == {"wmFirst li.mei": ["", ["vip"]]}
    user_link = Member.objects.get(userid="li.mei").pk
    company("customers", external_userid="wmSecond", userid="chen.yu", name="新客户", remark="展会")
    company("customers/wmFirst/act", userid="li.mei", action="edit", name="王强强", tag_id=[])
    company("members/li.mei/act", action="rename", new_userid="li.mei2")
    company("members/new.one/act", action="hire", name="新人", departments=[7])
    company("members/finance02/act", action="leave")
    company("tags/h", name="来源", tags={"web": "网"})

    def arrived() -> bool:
        now = picture(config)
        return (
            now["customers"] == {"wmFirst": "王强强", "wmSecond": "新客户"}
            and now["follows"] == {"wmFirst li.mei2": ["", []], "wmSecond chen.yu": ["展会", []]}
            and now["members"].get("new.one", [""])[0] == "新人"
            and "finance02" not in now["members"]
            and now["tags"] == {"vip": ["g", "重要"], "web": ["h", "网"]}
        )

    wait_until(arrived, 40, "all six changes")
    assert Member.objects.get(userid="li.mei2").pk == user_link
    wait_until(lambda: not ContactRefresh.objects.exclude(status="succeeded").exists(), 20, "everything read")
    state = picture(config)
    run = runs.run(runs.open_run(config, "full"))
    assert (run.status, run.created, run.deleted) == ("success", 0, 0)
    assert picture(config) == state

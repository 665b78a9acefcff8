"""One request is one id in the logs of every process that it reaches."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from config.schedules import ensure_schedule
from config.testing.processes import Process, Stack, wait_until


def lines(process: Process, **wanted: Any) -> list[dict[str, Any]]:
    """The JSON lines of ``process`` that say all of ``wanted``."""
    said = [json.loads(line) for line in process.output.splitlines() if line.startswith("{")]
    return [line for line in said if line.items() >= wanted.items()]


@pytest.mark.slow
def test_the_id_of_a_request_follows_into_the_task_that_it_causes(stack: Stack, client: Client):
    client.force_login(User.objects.create_superuser("runner"))
    schedule = ensure_schedule("request id", "wecom.sweep", every=timedelta(hours=1))
    web, worker = stack.web(), stack.worker()
    session = requests.Session()
    session.cookies.set("sessionid", client.cookies["sessionid"].value)
    page = f"{web.url}/admin/django_celery_beat/periodictask/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get(page, timeout=10).text)
    assert token
    form = {"action": "run_now", "_selected_action": schedule.pk, "csrfmiddlewaretoken": token[1]}
    session.post(page, data=form, timeout=10, allow_redirects=False)

    request = wait_until(lambda: lines(web.process, event="request_finished", code=302))[0]
    done = wait_until(lambda: lines(worker, event="task_succeeded", request_id=request["request_id"]))
    assert [line["task"] for line in done] == ["wecom.sweep"]
    assert request["request"].startswith("POST /admin/django_celery_beat/periodictask/")

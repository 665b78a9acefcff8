"""``manage.py doctor`` on a real installation: green when all is well; else it names what is wrong and what to do."""

from __future__ import annotations

from approvals.tests.e2e.house import House
from config.testing.processes import wait_until
from wecom.models import WeComConfig

CHECKS = 10
WRONG_SECRET = "canary-wrong-secret-0817"


def test_the_doctor_is_content_with_a_healthy_installation_and_names_what_is_broken(own_house: House):
    house = own_house.open(beat=True)
    house.li.submitted()
    wait_until(lambda: house.ready()[0], 20, "all parts ready")
    status, output = house.manage("doctor")
    assert status == 0, output
    verdicts = [line.split()[0] for line in output.splitlines() if line.startswith(("ok", "FAILED"))]
    assert verdicts == ["ok"] * CHECKS, output
    assert "Everything is in working order." in output

    with house.database.opened():
        config = WeComConfig.objects.get()
        config.secret = WRONG_SECRET
        config.save()
    house.workers[0].kill()
    wait_until(lambda: not house.ready()[1]["worker"]["ok"], 30, "the worker is missed", interval=0.5)
    status, output = house.manage("doctor")
    assert status == 1, output
    failed = [line.split(":")[0].split(maxsplit=1)[1] for line in output.splitlines() if line.startswith("FAILED")]
    assert {"Worker", "WeCom access token"} <= set(failed)
    assert {"Database", "Redis", "Beat", "Callback"}.isdisjoint(failed)
    assert "celery -A config worker" in output
    assert output.count("\n        →") == len(failed)  # a remedy under each
    assert WRONG_SECRET not in "".join(house.logs().values())
    assert "Traceback" not in output

"""``manage.py doctor`` on a real installation: it names what is wrong and what to do, and says so when all is well."""

from __future__ import annotations

from django.contrib.auth.models import User

from approvals.tests.e2e.house import PASSWORD, SECRET, House
from config.testing.processes import wait_until
from wecom.models import WeComConfig

CHECKS = 21
WRONG_SECRET = "canary-wrong-secret-0817"


def test_the_doctor_names_what_is_broken_and_is_content_once_it_is_mended(own_house: House):
    house = own_house.open(workers=0, beat=True)
    hire_superuser(house)
    set_secret(house, WRONG_SECRET)
    wait_until(lambda: house.ready()[1]["beat"]["ok"], 20, "beat heard of", interval=0.2)
    status, output = house.manage("doctor")
    assert status == 1, output
    failed = [line.split(":")[0].split(maxsplit=1)[1] for line in output.splitlines() if line.startswith("FAILED")]
    assert {"Worker", "WeCom access token"} <= set(failed)
    assert {"Database", "Redis", "Beat", "Callback"}.isdisjoint(failed)
    assert "celery -A config worker" in output
    assert output.count("\n        →") == len(failed)  # a remedy under each
    assert WRONG_SECRET not in "".join(house.logs().values())
    assert "Traceback" not in output

    set_secret(house, SECRET)
    house.start_worker()
    wait_until(lambda: house.ready()[0], 20, "all parts ready", interval=0.2)
    status, output = house.manage("doctor")
    assert status == 0, output
    verdicts = [line.split()[0] for line in output.splitlines() if line.startswith(("ok", "FAILED"))]
    assert verdicts == ["ok"] * CHECKS, output
    assert "Everything is in working order." in output


def hire_superuser(house: House) -> None:
    """Who may log in with a password, should WeCom be away; the doctor asks for one."""
    with house.database.opened():
        User.objects.create_superuser("root", password=PASSWORD)


def set_secret(house: House, secret: str) -> None:
    with house.database.opened():
        config = WeComConfig.objects.get()
        config.secret = secret
        config.save()

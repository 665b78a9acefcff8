"""The directory's synchronisation over REST: starting, logs, status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.testing.people import client_of, staff
from wecom.client import for_config
from wecom.directory_sync import runs
from wecom.models import DirectoryRunStatus, DirectorySyncRun, WeComConfig
from wecom.tests.directory.company import Company
from wecom.tests.peers import Peer, refused_url

pytestmark = pytest.mark.django_db

SYNC = "wecom.sync_directory"
LOG = {
    "id",
    "syncType",
    "status",
    "force",
    "startedAt",
    "finishedAt",
    "durationMs",
    "fetched",
    "created",
    "updated",
    "unchanged",
    "deleted",
    "failed",
    "errorMessage",
}


@pytest.fixture
def config(app: WeComConfig, peer: Peer) -> WeComConfig:
    app.is_default = True
    app.save()
    return app


@pytest.fixture
def client(config: WeComConfig) -> Any:
    return client_of(staff(SYNC))


def closed(config: WeComConfig, status: str = "success", *, sync_type: str = "user", **fields: Any) -> DirectorySyncRun:
    now = timezone.now()
    return DirectorySyncRun.objects.create(
        config=config,
        sync_type=sync_type,
        status=status,
        started_at=now - timedelta(seconds=5.6),
        finished_at=now,
        **fields,
    )


# -- starting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "sync_type", "force"),
    [
        ("sync", {}, "full", False),
        ("sync", {"syncType": "customer", "force": True}, "customer", True),
        ("sync/departments", {}, "department", False),
        ("sync/users", {"force": True}, "user", True),
        ("sync/customers", {"force": False}, "customer", False),
    ],
)
def test_a_run_is_opened_for_a_worker(client: Any, path: str, body: dict[str, Any], sync_type: str, force: bool):
    answer = client.post(f"/api/wework/{path}", body)
    assert answer.status_code == 202
    run = DirectorySyncRun.objects.get()
    assert answer.json()["logId"] == run.pk
    assert answer.json()["etaSeconds"] >= 0
    assert (run.sync_type, run.force, run.status, str(run.started_by)) == (sync_type, force, "pending", "nora")


def test_a_worker_does_what_was_asked_for(client: Any, peer: Peer):
    company = Company()
    company.have(3)
    company.serve(peer)
    number = client.post("/api/wework/sync/users", {}).json()["logId"]
    assert runs.run_due() == 1
    log = client.get(f"/api/wework/sync/logs/{number}").json()
    assert (log["status"], log["fetched"], log["created"], log["errorMessage"]) == ("success", 3, 3, None)
    assert log["durationMs"] >= 0


@pytest.mark.parametrize(
    ("running", "path", "status"),
    [
        ("user", "sync/users", 409),
        ("full", "sync/users", 409),
        ("user", "sync", 409),
        ("department", "sync/users", 202),
    ],
)
def test_one_run_of_a_type_and_none_beside_a_full_one(
    client: Any, config: WeComConfig, running: str, path: str, status: int
):
    busy = runs.open_run(config, running)
    answer = client.post(f"/api/wework/{path}", {})
    assert answer.status_code == status
    if status == 409:
        told = answer.json()
        assert (told["code"], told["logId"], told["status"]) == ("already_running", busy.pk, "pending")
        assert DirectorySyncRun.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("sync", {"syncType": "everything"}, "syncType"),
        ("sync", {"force": "yes"}, "force"),
        ("sync", {"sync_type": "user"}, "sync_type"),
        ("sync/users", {"syncType": "user"}, "syncType"),
    ],
)
def test_bad_input_starts_nothing(client: Any, path: str, body: dict[str, Any], field: str):
    answer = client.post(f"/api/wework/{path}", body)
    assert answer.status_code == 400
    assert field in answer.json()
    assert not DirectorySyncRun.objects.exists()


@pytest.fixture
def another(config: WeComConfig) -> WeComConfig:
    return WeComConfig.objects.create(
        slug="sales", name="Sales", corp_id="wwother", agent_id=2, secret="other-secret", is_default=False
    )


@pytest.mark.parametrize("path", ["sync", "sync/departments", "sync/users", "sync/customers"])
def test_another_app_is_named_by_its_id(client: Any, another: WeComConfig, path: str):
    assert client.post(f"/api/wework/{path}", {"configId": another.pk}).status_code == 202
    assert DirectorySyncRun.objects.get().config == another
    assert client.post(f"/api/wework/{path}", {}).status_code == 202  # the default app's is another matter


def test_an_app_that_cannot_be_asked_is_named(client: Any, another: WeComConfig):
    WeComConfig.objects.filter(pk=another.pk).update(enabled=False)
    for number in (another.pk, 999, "1", 0):
        answer = client.post("/api/wework/sync", {"configId": number}, format="json")
        assert (answer.status_code, list(answer.json())) == (400, ["configId"])
    for path in ("sync/logs", "sync/status"):
        answer = client.get(f"/api/wework/{path}?configId=999")
        assert (answer.status_code, list(answer.json())) == (400, ["configId"])
    assert not DirectorySyncRun.objects.exists()


def test_logs_and_status_of_one_app(client: Any, config: WeComConfig, another: WeComConfig):
    of_default, of_another = closed(config), closed(another)
    assert [log["id"] for log in client.get("/api/wework/sync/logs").json()["logs"]] == [of_another.pk, of_default.pk]
    for number, run in ((config.pk, of_default), (another.pk, of_another)):
        told = client.get(f"/api/wework/sync/logs?configId={number}").json()
        assert ([log["id"] for log in told["logs"]], told["pagination"]["total"]) == ([run.pk], 1)
        assert client.get(f"/api/wework/sync/status?configId={number}").json()["last"]["user"]["id"] == run.pk
    assert client.get("/api/wework/sync/status").json()["last"]["user"]["id"] == of_default.pk


def test_without_an_app_there_is_nothing_to_ask(db: None):
    answer = client_of(staff(SYNC)).post("/api/wework/sync", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_app")


def test_how_long_a_big_one_takes_is_told_at_once(client: Any, config: WeComConfig):
    from wecom.models import Department

    Department.objects.bulk_create(Department(config=config, remote_id=n) for n in range(1, 2001))
    assert 10 <= client.post("/api/wework/sync/users", {}).json()["etaSeconds"] <= 60


# -- rights ----------------------------------------------------------------------------------------------------------


def test_who_may_what(config: WeComConfig):
    reader = client_of(staff("wecom.view_directorysyncrun", name="rita"))
    stranger = client_of(staff(name="sam"))
    number = closed(config).pk
    for path in ("sync/logs", f"sync/logs/{number}", "sync/status"):
        assert reader.get(f"/api/wework/{path}").status_code == 200
        assert stranger.get(f"/api/wework/{path}").status_code == 403
    for path in ("sync", "sync/departments", "sync/users", "sync/customers"):
        assert reader.post(f"/api/wework/{path}", {}).status_code == 403
        assert stranger.post(f"/api/wework/{path}", {}).status_code == 403
    assert DirectorySyncRun.objects.count() == 1


# -- logs ------------------------------------------------------------------------------------------------------------


def test_logs_are_to_the_key_and_newest_first(client: Any, config: WeComConfig):
    old = closed(config, fetched=5, created=1, updated=2, unchanged=2, deleted=3, failed=1)
    new = closed(config, "failed", message="WeCom refused.", sync_type="department")
    answer = client.get("/api/wework/sync/logs").json()
    assert [log["id"] for log in answer["logs"]] == [new.pk, old.pk]
    assert all(set(log) == LOG for log in answer["logs"])
    assert answer["pagination"] == {"page": 1, "pageSize": 20, "total": 2}
    failed, done = answer["logs"]
    assert failed["errorMessage"] == "WeCom refused."
    counts = {name: done[name] for name in ("fetched", "created", "updated", "unchanged", "deleted", "failed")}
    assert list(counts.values()) == [5, 1, 2, 2, 3, 1]
    assert done["durationMs"] == 5600
    assert parse_datetime(done["finishedAt"]) == old.finished_at


def test_a_run_that_waits_has_no_times_yet(client: Any, config: WeComConfig):
    runs.open_run(config, "user")
    (log,) = client.get("/api/wework/sync/logs").json()["logs"]
    assert (log["status"], log["startedAt"], log["finishedAt"], log["durationMs"]) == ("pending", None, None, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"syncType": "user"}, ["d", "a"]),
        ({"status": "failed"}, ["d", "c"]),
        ({"syncType": "user", "status": "failed"}, ["d"]),
        ({"page": 2, "pageSize": 3}, ["a"]),
        ({"page": 9}, []),
    ],
)
def test_logs_are_filtered_and_paged(client: Any, config: WeComConfig, query: dict[str, Any], found: list[str]):
    kinds = {"a": ("user", "success"), "b": ("full", "partial"), "c": ("full", "failed"), "d": ("user", "failed")}
    made = {closed(config, status, sync_type=kind).pk: name for name, (kind, status) in kinds.items()}
    answer = client.get("/api/wework/sync/logs", query).json()
    assert [made[log["id"]] for log in answer["logs"]] == found
    if "page" in query:
        assert answer["pagination"]["total"] == 4


@pytest.mark.parametrize(
    "query", [{"syncType": "x"}, {"status": "done"}, {"page": 0}, {"pageSize": 201}, {"pageSize": "many"}]
)
def test_filters_that_cannot_be_read_are_named(client: Any, query: dict[str, Any]):
    answer = client.get("/api/wework/sync/logs", query)
    assert answer.status_code == 400
    assert set(answer.json()) == set(query)


def test_a_page_of_logs_costs_the_same_whatever_it_lists(client: Any, config: WeComConfig):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/wework/sync/logs", {"pageSize": 100}).status_code == 200
        assert not [query for query in captured.captured_queries if "error_detail" in query["sql"]]
        return len(captured)

    closed(config)
    few = cost()
    for _run in range(50):
        closed(config)
    assert cost() == few <= 8


def test_progress_of_a_run(client: Any, config: WeComConfig):
    run = DirectorySyncRun.objects.create(
        config=config,
        sync_type="full",
        status=DirectoryRunStatus.RUNNING,
        started_at=timezone.now() - timedelta(seconds=10),
        phase="user",
        calls_done=10,
        calls_expected=40,
    )
    log = client.get(f"/api/wework/sync/logs/{run.pk}").json()
    assert set(log) > LOG
    assert (log["phase"], log["callsDone"], log["callsExpected"], log["percent"]) == ("user", 10, 40, 25)
    assert 28 <= log["etaSeconds"] <= 35
    assert client.get(f"/api/wework/sync/logs/{run.pk + 1}").status_code == 404


# -- status ----------------------------------------------------------------------------------------------------------


def status_of(client: Any) -> dict[str, Any]:
    answer = client.get("/api/wework/sync/status")
    assert answer.status_code == 200
    return dict(answer.json())


def test_before_anything_has_run_nothing_is_made_up(client: Any):
    assert status_of(client) == {
        "running": [],
        "last": {"department": None, "user": None, "customer": None},
        "token": {"expiresAt": None},
        "pausedUntil": {},
    }


def test_a_full_run_is_the_last_of_each_type_until_one_of_that_type_ends(client: Any, config: WeComConfig):
    full = closed(config, sync_type="full")
    user = closed(config, "failed", sync_type="user", message="No.")
    busy = runs.open_run(config, "department")
    status = status_of(client)
    assert [log["id"] for log in status["running"]] == [busy.pk]
    assert {kind: log["id"] for kind, log in status["last"].items()} == {
        "department": full.pk,
        "user": user.pk,
        "customer": full.pk,
    }
    assert set(status["last"]["user"]) == LOG


def test_token_and_pauses_as_they_are(client: Any, config: WeComConfig):
    wecom = for_config(config)
    wecom.tokens.get()
    wecom.budget.pause("user/list", 60)
    status = status_of(client)
    now = timezone.now()
    ends = parse_datetime(status["token"]["expiresAt"])
    assert ends is not None
    assert timedelta(minutes=30) < ends - now <= timedelta(hours=2)
    (endpoint, until), *others = status["pausedUntil"].items()
    assert (endpoint, others) == ("user/list", [])
    assert 50 < (parse_datetime(until) - now).total_seconds() <= 60  # type: ignore[operator]


def test_without_redis_the_runs_are_told_and_the_rest_is_unknown(client: Any, config: WeComConfig, settings: Any):
    run = closed(config)
    settings.REDIS_URL = refused_url().replace("http", "redis")
    status = status_of(client)
    assert status["last"]["user"]["id"] == run.pk
    assert (status["token"], status["pausedUntil"]) == ({"expiresAt": None}, None)


def test_an_app_whose_secret_cannot_be_opened_has_no_token(client: Any, config: WeComConfig):
    table = connection.ops.quote_name(WeComConfig._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET secret = 'v1:gone:bm9uc2Vuc2U='")  # noqa: S608
    assert status_of(client)["token"] == {"expiresAt": None}

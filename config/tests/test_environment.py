"""Every wrong setting is named; none ends in a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.environment import Environment

GOOD = {
    "ENV_FILE": "",
    "SECRET_KEY": "a-long-and-random-looking-text-for-the-tests-of-settings-1234567890",
    "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMzI=",
    "ALLOWED_HOSTS": "quotes.example.com",
    "WECOM_CORP_ID": "ww1",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "secret-of-the-app",
}


def run(*command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    variables = {**GOOD, "PATH": os.environ["PATH"], "VAR_DIR": os.environ["VAR_DIR"], **changes}
    variables = {name: value for name, value in variables.items() if value != "absent"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda env: env.boolean("NAME", default=False), "maybe"),
        (lambda env: env.integer("NAME", 5, least=1, most=10), "eleven"),
        (lambda env: env.integer("NAME", 5, least=1, most=10), "11"),
        (lambda env: env.choice("NAME", "a", ["a", "b"]), "c"),
        (lambda env: env.url("NAME", ""), "quotes.example.com"),
        (lambda env: env.url("NAME", ""), "ftp://quotes.example.com"),
        (lambda env: env.url("NAME", ""), "http://host:99999"),
        (lambda env: env.time_zone("NAME", "UTC"), "Asia/Shanhai"),
        (lambda env: env.time_zone("NAME", "UTC"), "/etc/passwd"),
        (lambda env: env.keys("NAME", length=32, hint="", placeholder="x"), "c2hvcnQ="),
        (lambda env: env.keys("NAME", length=32, hint="", placeholder="x"), ""),
        (lambda env: env.aes_key("NAME"), "A" * 42),
        (lambda env: env.aes_key("NAME"), "*" * 43),
        (lambda env: env.database("NAME", "sqlite:///x"), "mysql://host/name"),
        (lambda env: env.database("NAME", "sqlite:///x"), "postgres://host:port/name"),
        (lambda env: env.database("NAME", "sqlite:///x"), "nonsense"),
        (lambda env: env.long_text("NAME", least=32), "guess-me"),
        (lambda env: env.networks("NAME"), "10.0.0.0/8, monitoring"),
        (lambda env: env.networks("NAME"), "10.1.2.3/8"),
        (lambda env: env.text("NAME", required=True), "  "),
    ],
)
def test_a_wrong_value_becomes_one_problem_that_names_the_setting_and_hides_the_value(read, value):
    env = Environment({"NAME": value})
    read(env)
    assert [problem.setting for problem in env.problems] == ["NAME"]
    assert str(env.problems[0]).startswith("NAME ")
    assert not value.strip() or value not in str(env.problems[0])


def test_right_values_are_read():
    env = Environment(
        {
            "FLAG": "Yes",
            "NUMBER": "7",
            "LIST": " a, b ,",
            "URL": "https://x.example.com/",
            "AES": "A" * 43,
            "EMPTY": "",
            "NETS": "10.0.0.0/8, 203.0.113.9,2001:db8::/32",
        }
    )
    assert env.boolean("FLAG", default=False) is True
    assert env.integer("NUMBER", 1, least=1, most=9) == 7
    assert env.names("LIST") == ["a", "b"]
    assert env.url("URL", "") == "https://x.example.com"
    assert env.aes_key("AES") == "A" * 43
    assert env.text("EMPTY", default="default") == "default"
    assert (env.long_text("AES", least=43), env.long_text("EMPTY", least=43)) == ("A" * 43, "")
    assert [str(network) for network in env.networks("NETS")] == ["10.0.0.0/8", "203.0.113.9/32", "2001:db8::/32"]
    assert env.networks("EMPTY") == []
    assert env.problems == []


def test_settings_that_belong_together_miss_each_other():
    env = Environment({"A": "1"})
    env.together("A", "B")
    env.together("C", "D")
    assert [str(problem) for problem in env.problems] == ["B is missing although A is set."]


def test_variables_win_over_the_file(tmp_path: Path):
    file = tmp_path / "env"
    file.write_text("A=file\nB='quoted # text'\n# C=comment\n")
    env = Environment.load({"A": "variable"}, file)
    assert (env.text("A"), env.text("B"), env.text("C")) == ("variable", "quoted # text", "")
    assert "B" not in os.environ


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SECRET_KEY", "absent"),
        ("SECRET_KEY", "django-insecure-" + "x" * 60),
        ("SECRET_KEY", "short"),
        ("FIELD_ENCRYPTION_KEYS", "absent"),
        ("ALLOWED_HOSTS", "absent"),
        ("DATABASE_URL", "oracle://x"),
        ("WECOM_SECRET", "absent"),
        ("WECOM_ENCODING_AES_KEY", "too-short"),
        ("WECOM_STANDIN_URL", "http://127.0.0.1:8091"),
        ("APPROVAL_CONFLICT_POLICY", "loudest_wins"),
        ("METRICS_TOKEN", "guess-me"),
        ("METRICS_ALLOW", "everybody"),
        ("VAR_DIR", "/proc/nowhere"),
    ],
)
def test_manage_py_check_names_the_wrong_setting(setting: str, value: str):
    result = run("manage.py", "check", **{setting: value})
    assert result.returncode == 1
    assert re.search(rf"\(config\.E001\) {setting} ", result.stderr)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "config.web", "--bind", "127.0.0.1:0"],
        ["-m", "celery", "-A", "config", "worker"],
        ["-m", "celery", "-A", "config", "beat"],
    ],
    ids=["web", "worker", "beat"],
)
def test_servers_stop_at_once_with_one_line_that_names_the_setting(command: list[str]):
    result = run(*command, FIELD_ENCRYPTION_KEYS="absent")
    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if "FIELD_ENCRYPTION_KEYS" in line]
    assert [line.split(".")[0] for line in said] == ["Quotebridge cannot start: FIELD_ENCRYPTION_KEYS is missing"]
    assert "Traceback" not in result.stderr


def test_a_wrong_number_of_workers_is_a_wrong_setting():
    result = run("-m", "config.web", WEB_CONCURRENCY="many")
    said = "Quotebridge cannot start: WEB_CONCURRENCY must be a whole number from 1 to 64.\n"
    assert (result.returncode, result.stderr) == (1, said)


def test_check_deploy_is_silent_under_production_settings():
    result = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout + result.stderr


def test_a_postgresql_that_falls_silent_is_given_up_in_seconds_unless_the_address_says_otherwise():
    code = (
        "from django.conf import settings; from psycopg.conninfo import make_conninfo;"
        "print(make_conninfo(**settings.DATABASES['default']['OPTIONS']))"  # raises at words that libpq does not know
    )
    url = "postgres://quotes@database.example/quotes?connect_timeout=7"
    said = run("-c", code, DATABASE_URL=url, DJANGO_SETTINGS_MODULE="config.settings").stdout.split()
    assert {"tcp_user_timeout=3000", "keepalives_idle=30", "keepalives_interval=5", "keepalives_count=3"} < set(said)
    assert "connect_timeout=7" in said


def test_env_example_shows_exactly_the_settings_that_are_read():
    source = (settings.BASE_DIR / "config/settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    example = (settings.BASE_DIR / ".env.example").read_text().partition("# --- compose.yaml only")[0]
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)) == read

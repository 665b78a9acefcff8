"""What README.md and docs/ claim, held against the code: settings, commands, addresses, links, make targets, states."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve
from django.utils import translation
from django_celery_beat.models import PeriodicTask
from drf_spectacular.generators import SchemaGenerator

from approvals import transitions
from approvals.models import InstanceStatus, OperationKind
from config.runs import OPEN
from notifications import roles as notification_roles
from notifications.checks import NEEDED
from notifications.models import AlertRule
from projects import roles as project_roles
from projects.models import AccessOutcome, RunStatus
from projects.standin.faults import FAULT_KINDS
from wecom import roles as wecom_roles
from wecom.models import Capability, DirectoryRunStatus, DirectoryType

ROOT = Path(settings.BASE_DIR)
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
LARGEST_IMAGE = 250 * 1024
every_page = pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# --- Settings ---------------------------------------------------------------------------------------------------------


REQUIRED = "required"


def settings_in_code() -> dict[str, str | None]:
    """Every setting that config/settings.py reads → its default as text, REQUIRED, or None where it is computed."""
    calls = (node for node in ast.walk(ast.parse(read(ROOT / "config" / "settings.py"))) if isinstance(node, ast.Call))
    return {ast.literal_eval(call.args[0]): _default(call) for call in calls if _reads_a_setting(call)}


def _reads_a_setting(call: ast.Call) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return False
    return function.value.id == "env" and function.attr not in ("complain", "together")


def _default(call: ast.Call) -> str | None:
    words = {word.arg: word.value for word in call.keywords}
    if "required" in words or "placeholder" in words:
        return REQUIRED
    default = words.get("default", call.args[1] if len(call.args) > 1 else None)
    if not isinstance(default, ast.Constant) or default.value in ("", None):
        return None
    return str(default.value).lower() if isinstance(default.value, bool) else str(default.value)


def settings_in_readme() -> dict[str, str]:
    """The table: setting → default, without the back-ticks."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| .* \|$", read(README), re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


COMPOSE = "# --- compose.yaml only"


def settings_in_example() -> dict[str, str]:
    return variables(read(ROOT / ".env.example").partition(COMPOSE)[0])


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert sorted(settings_in_readme()) == sorted(settings_in_code())


def test_the_example_names_every_setting() -> None:
    assert sorted(settings_in_example()) == sorted(settings_in_code())


def test_the_example_names_what_compose_reads_with_its_defaults() -> None:
    read_there = dict(re.findall(r"\$\{([A-Z_]+):(?:-([\w.-]+)|\?)", read(ROOT / "compose.yaml")))
    assert variables(read(ROOT / ".env.example").partition(COMPOSE)[2]) == read_there


@pytest.mark.parametrize("name", [name for name, default in settings_in_code().items() if default])
def test_defaults_are_told_as_they_are(name: str) -> None:
    default, told = settings_in_code()[name], settings_in_readme()[name]
    assert told == default or (told == "–" and default == "0")  # the ID of no agent
    assert settings_in_example()[name] in ("", default, "https://quotes.example.com", "1000002")  # two are examples


# --- Commands and make targets ----------------------------------------------------------------------------------------


def commands_named(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each ``manage.py`` command with the long options behind it."""
    for name, rest in re.findall(r"manage\.py +([a-z_]+)([^\n`)|]*)", text):
        yield name, re.findall(r"(--[a-z][a-z-]+)", rest)


@every_page
def test_commands_exist(document: Path) -> None:
    known = get_commands()
    for name, options in commands_named(read(document)):
        assert name in known, f"{document.name}: manage.py {name}"
        app = known[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        offered = set(command.create_parser("manage.py", name)._option_string_actions)
        assert set(options) <= offered, f"{document.name}: manage.py {name}"


@every_page
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", read(ROOT / "Makefile"), re.MULTILINE))
    targets = {target for line in targets for target in line.split()}
    named = re.findall(r"(?:`|^)make ([a-z-]+)", read(document), re.MULTILINE)
    assert set(named) <= targets


# --- Addresses --------------------------------------------------------------------------------------------------------


def addresses_named(text: str) -> set[str]:
    """Paths of this site, with something for every placeholder and without the query."""
    found = re.findall(
        r"(?<![\w./-])(?:\$SITE|https?://localhost:\d+)?(/(?:api|wecom|health|metrics|project|admin)\b[^\s`\"'?)|*>…]*)",
        text,
    )
    return {re.sub(r"\$[A-Z_]+|\{[a-z_]+\}|<[a-z_]+>", "1", path) for path in found}


@every_page
def test_addresses_resolve(document: Path) -> None:
    lost = []
    for path in sorted(addresses_named(read(document))):
        try:
            resolve(path)
        except Resolver404:
            lost.append(path)
    assert lost == []


def test_every_call_of_the_api_is_on_its_page() -> None:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    offered = {(method.upper(), path) for path, calls in schema["paths"].items() for method in calls}
    offered = {call for call in offered if call[1] != "/api/schema"}
    told = re.findall(r"^\| ([A-Z]+) \| `(/api/[^`]*)` \|", read(ROOT / "docs" / "api.md"), re.MULTILINE)
    assert sorted(told, key=str) == sorted(offered, key=str)


# --- Links, files, images ---------------------------------------------------------------------------------------------


def anchors(document: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", read(document), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@every_page
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if target.startswith(("http://", "https://")):
            continue
        path, _hash, anchor = target.partition("#")
        file = (document.parent / path) if path else document
        assert file.exists(), f"{document.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{document.name}: {target}"


@every_page
def test_chinese_names_are_those_of_the_catalogue(document: Path) -> None:
    """``*Sync now* (立即同步)``: what the page says in English, and what most readers see."""
    pairs = re.findall(r"\*([^*\n]+)\*\s+\(([一-鿿][^)]*)\)", read(document))
    with translation.override("zh-hans"):
        shown = [(english, translation.gettext(english)) for english, _chinese in pairs]
    assert shown == pairs


@every_page
def test_files_named_in_code_spans_exist(document: Path) -> None:
    named = re.findall(r"`((?:[\w-]+/)+(?:[\w.-]+\.[a-z]+|))`", read(document))
    ours = [name for name in named if (ROOT / name.split("/")[0]).exists() and not name.startswith("var/")]
    assert [name for name in ours if not (ROOT / name).exists()] == []


def test_pictures_are_used_and_small() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    used = "".join(map(read, PAGES))
    assert [picture.name for picture in pictures if picture.name not in used] == []
    assert [picture.name for picture in pictures if picture.stat().st_size > LARGEST_IMAGE] == []


# --- Facts that are lists ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_schedules_told_are_those_created() -> None:
    told = set(re.findall(r"^\| `([a-z]+: [a-z ]+)` \|", read(ROOT / "docs" / "operating.md"), re.MULTILINE))
    # beat adds one of Celery's own, for results, which are not kept
    assert told == set(PeriodicTask.objects.exclude(name__startswith="celery.").values_list("name", flat=True))


def test_the_kinds_of_operations_are_told() -> None:
    operating = read(ROOT / "docs" / "operating.md")
    assert [kind for kind in OperationKind.values if f"`{kind}`" not in operating] == []


def rows_of(page: str, *head: str) -> list[list[str]]:
    """The cells of the rows of the table whose head begins with these columns."""
    lines = iter([line.strip() for line in read(ROOT / page).splitlines()])
    begin = f"| {' | '.join(head)} |"
    assert any(line.startswith(begin) for line in lines), f"{page}: no table {head}"
    rows = takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in list(rows)[1:]]


def marked(cell: str) -> list[str]:
    """The words in back-ticks."""
    return re.findall(r"`([^`]+)`", cell)


def first_words(page: str, *head: str) -> list[str]:
    return [word for row in rows_of(page, *head) for word in marked(row[0])]


@pytest.mark.django_db
def test_the_alert_rules_told_are_those_created() -> None:
    told = {
        marked(rule)[0]: int(threshold) for rule, threshold, _what in rows_of("docs/messages.md", "rule", "threshold")
    }
    assert told == dict(AlertRule.objects.values_list("kind", "threshold"))


def test_how_runs_end_is_told() -> None:
    projects = [status for status in RunStatus.values if status not in OPEN]
    directory = [status for status in DirectoryRunStatus.values if status not in OPEN]
    assert first_words("docs/projects.md", "run ends as") == projects
    assert sorted(first_words("docs/wecom.md", "run ends as")) == sorted(directory)


def test_what_is_synchronised_and_probed_is_told() -> None:
    assert first_words("docs/wecom.md", "type", "reads") == DirectoryType.values
    assert first_words("docs/wecom.md", "capability", "tried with") == Capability.values


def test_refusals_of_links_are_told() -> None:
    told = {word for row in rows_of("docs/projects.md", "who comes with") for word in marked(row[1])}
    refusals = {outcome.value for outcome in AccessOutcome} - {AccessOutcome.ALLOWED, AccessOutcome.THROTTLED}
    assert refusals <= told


def test_faults_of_the_library_are_told() -> None:
    assert sorted(first_words("docs/projects.md", "fault")) == sorted(FAULT_KINDS)


def test_what_sms_providers_need_is_told() -> None:
    told: dict[str, set[str]] = {"tencent": set(), "aliyun": set()}
    for names, *cells in rows_of("docs/messages.md", "setting"):
        for provider, cell in zip(told, cells, strict=True):
            if not cell.startswith(("not used", "empty", "`ap-", "`cn-")):
                told[provider] |= set(marked(names))
    assert told == {provider: set(NEEDED[provider]) for provider in told}


def test_who_has_which_right_is_told() -> None:
    given: dict[str, set[str]] = {}
    for rights in (project_roles.RIGHTS, notification_roles.RIGHTS, wecom_roles.RIGHTS):
        for role, names in rights.items():
            for name in names:
                given.setdefault(name.partition(".")[2], set()).add(role)
    for right, _allows, roles in rows_of("docs/operating.md", "right", "allows"):
        assert set(roles.split(", ")) == given[marked(right)[0]], right


def table(*rows: Iterable[str]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|{' --- |' * (head.count('|') - 1)}", *body])


def words(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values) or "–"


def state_tables() -> dict[str, str]:
    """The tables of docs/architecture.md, made from approvals/transitions.py."""
    order = list(InstanceStatus)
    local = [
        (f"`{verb}`", words(moves), words(dict.fromkeys(moves.values()))) for verb, moves in transitions.LOCAL.items()
    ]
    remote_order = list(transitions.REMOTE)
    remote = [
        (
            f"`{state}`" if state else "nothing known yet",
            words(follower for follower in remote_order if follower in followers),
            f"`{transitions.FROM_REMOTE[state]}`" if state else "–",
        )
        for state, followers in transitions.REMOTE.items()
    ]
    quote = [(f"`{status}`", f"`{document}`") for status, document in transitions.QUOTE_STATUS.items()]
    verbs = {"submit": transitions.SUBMITTABLE, "revise": transitions.REVISABLE}
    quotes = [(f"`{verb}`", words(status for status in order if status in states)) for verb, states in verbs.items()]
    return {
        "local": table(("verb", "allowed in", "leads to"), *local),
        "remote": table(("state in WeCom", "may be followed by", "state here"), *remote),
        "quote": table(("approval", "quote"), *quote),
        "quotes": table(("verb", "allowed in"), *quotes),
    }


@pytest.mark.parametrize("name", state_tables())
def test_states_are_told_as_the_code_has_them(name: str) -> None:
    text = read(ROOT / "docs" / "architecture.md")
    told = re.search(rf"<!-- generated: {name} -->\n(.*?)\n?<!-- end -->", text, re.DOTALL)
    assert told is not None
    assert told[1] == state_tables()[name]

"""The message catalogues: everything said in both languages, placeholders kept, compiled; and Chinese by default.

Whether they hold exactly the texts of the sources is asked by ``make lint`` (.ci/messages.py), which has xgettext.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import formats, translation
from knox.models import AuthToken

LOCALE = Path(settings.BASE_DIR) / "locale"
CATALOGUES = sorted(LOCALE.rglob("*.po"))
CHINESE = [path for path in CATALOGUES if path.parts[-3] == "zh_Hans"]
HAN = r"[\u4e00-\u9fff]"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
HALF_WIDTH = re.compile(rf"{HAN}[,;:!?]|[,;:!?]{HAN}|{HAN}\.(?!\w)|\([^()]*{HAN}|{HAN}[^()]*\)")


@dataclass(slots=True)
class Entry:
    """One text of a .po. ``translations``: one, or one for each plural form."""

    texts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def text(self) -> str:
        return self.texts["msgid"]

    @property
    def translations(self) -> list[str]:
        return [text for keyword, text in self.texts.items() if keyword.startswith("msgstr")]

    def compiled(self) -> Iterator[tuple[object, str]]:
        """As ``gettext`` keeps them: context and EOT before the text; plural forms under text and number."""
        context = self.texts.get("msgctxt")
        text = self.text if context is None else f"{context}\x04{self.text}"
        if "msgid_plural" not in self.texts:
            yield text, self.texts["msgstr"]
            return
        for number, said in enumerate(self.translations):
            yield (text, number), said


def entries(path: Path) -> list[Entry]:
    """All texts of a .po except its header; obsolete ones (#~) are not read."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        entry, keyword = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#"):
                entry.fuzzy |= line.startswith("#,") and "fuzzy" in line
            elif line.startswith('"'):
                entry.texts[keyword] += ast.literal_eval(line)
            else:
                keyword, quoted = line.split(" ", 1)
                entry.texts[keyword] = ast.literal_eval(quoted)
        if entry.texts.get("msgid"):
            found.append(entry)
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(LOCALE))


every_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=name_of)
every_chinese_catalogue = pytest.mark.parametrize("path", CHINESE, ids=name_of)


def test_both_languages_have_a_catalogue_of_the_same_texts():
    chinese, english = ({entry.text for entry in entries(LOCALE / code / "LC_MESSAGES" / "django.po")}
                        for code in ("zh_Hans", "en"))  # fmt: skip
    assert len(chinese) > 500
    assert chinese == english


def test_no_text_hides_behind_a_name_that_makemessages_does_not_know():
    alias = re.compile(r"\b\w*gettext\w* as (?!_\b)\w+")
    root = Path(settings.BASE_DIR)
    sources = [
        path
        for app in ("approvals", "config", "notifications", "projects", "wecom")
        for path in root.glob(f"{app}/**/*.py")
    ]
    assert [str(path.relative_to(root)) for path in sources if alias.search(path.read_text(encoding="utf-8"))] == []


@every_catalogue
def test_every_text_is_translated_and_none_is_a_guess(path: Path):
    wanting = [entry.text for entry in entries(path) if entry.fuzzy or not all(entry.translations)]
    assert wanting == []


@every_catalogue
def test_nothing_obsolete_is_kept(path: Path):
    assert "\n#~" not in path.read_text(encoding="utf-8")


@every_catalogue
def test_what_is_compiled_is_what_is_written(path: Path):
    with path.with_suffix(".mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    compiled.pop("")
    assert compiled == dict(pair for entry in entries(path) for pair in entry.compiled())


@every_catalogue
def test_placeholders_are_kept(path: Path):
    def placeholders(text: str) -> list[str]:
        return sorted(PLACEHOLDER.findall(text))

    lost = [
        (entry.text, said)
        for entry in entries(path)
        for said in entry.translations
        if placeholders(said) != placeholders(entry.text)
    ]
    assert lost == []


@every_chinese_catalogue
def test_no_chinese_text_is_an_english_sentence(path: Path):
    """Names of products and protocols stay (API, EncodingAESKey); two Latin words in a row are a text left over."""
    left = [
        said
        for entry in entries(path)
        for said in entry.translations
        if not re.search(HAN, said) and re.search(r"[A-Za-z]\s+[A-Za-z]", said)
    ]
    assert left == []


@every_chinese_catalogue
def test_chinese_sentences_use_chinese_punctuation_and_chinese_names(path: Path):
    def without_html(text: str) -> str:
        return re.sub(r"<[^>]*>", "", text)

    odd = [
        said
        for entry in entries(path)
        for said in map(without_html, entry.translations)
        if HALF_WIDTH.search(said) or re.search(r"\bWeCom\b", said)
    ]
    assert odd == []


PAGES = [
    ("/admin/login/", False, 200, "登录", "Log in"),
    ("/admin/", True, 200, "我的报价单", "My quotes"),
    ("/admin/approvals/quote/", True, 200, "报价单号或客户", "Quote number or customer"),
    ("/api/approvals/status", True, 400, "请提供 quote_number", "Give quote_number"),
    ("/api/nothing-here", True, 404, "该地址不存在", "There is nothing at this address"),
    ("/nothing-here", False, 404, "页面不存在", "There is nothing here"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "logged_in", "status", "chinese", "english"), PAGES, ids=[page[0] for page in PAGES])
def test_pages_are_chinese_until_somebody_chooses_english(
    request: pytest.FixtureRequest, path: str, logged_in: bool, status: int, chinese: str, english: str
):
    client: Client = request.getfixturevalue("admin_client" if logged_in else "client")

    header = {} if path.startswith("/api/") else {"accept-language": "en-US,en"}  # a choice there, not on pages

    def page() -> str:
        response = client.get(path, headers=header)
        assert response.status_code == status
        return str(response.content.decode())

    by_default = page()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    chosen = page()
    assert (chinese in by_default, english in by_default) == (True, False)
    assert (chinese in chosen, english in chosen) == (False, True)


@pytest.mark.django_db
def test_the_scripts_of_the_admin_get_the_texts_that_django_lacks(admin_client: Client):
    texts = admin_client.get("/admin/jsi18n/").content.decode()
    assert '"Choose all %s": "\\u9009\\u62e9\\u5168\\u90e8%s"' in texts
    assert '"Today": "\\u4eca\\u5929"' in texts  # Django's own are still there


@pytest.mark.django_db
def test_permissions_are_said_in_the_language_of_the_reader(admin_client: Client):
    page = admin_client.get("/admin/auth/group/add/").content.decode()
    assert "报价与审批 | 报价单 | 可以新增" in page
    assert "报价与审批 | 报价单 | 可以提交报价单审批" in page
    assert "Can " not in page


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["", "{token}/change/"])
def test_what_libraries_leave_in_english_is_said_in_chinese(admin_client: Client, admin_user: User, page: str):
    token, _secret = AuthToken.objects.create(admin_user)
    text = admin_client.get(f"/admin/knox/authtoken/{page.format(token=token.pk)}").content.decode()
    for chinese in ("令牌开头", "用户", "创建时间", "有效期至"):
        assert chinese in text
    for english in ("Token key", "Created", "Expiry"):
        assert english not in text
    assert token.token_key in text


def test_dates_and_amounts_in_chinese():
    with translation.override("zh-hans"):
        assert formats.date_format(datetime(2026, 3, 9, 8, 5), "DATETIME_FORMAT") == "2026-03-09 08:05"  # noqa: DTZ001
        assert formats.number_format("1234567.5", 2, force_grouping=True) == "1,234,567.50"
        assert formats.localize_input(datetime(2026, 3, 9).date()) == "2026-03-09"  # noqa: DTZ001

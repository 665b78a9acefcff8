"""The database is away: the reader is told so on a page of ours, whoever they are."""

from __future__ import annotations

import pytest
import requests

from config.testing.processes import Stack
from projects.page.visitors import COOKIE
from projects.tests.page.test_headers import assert_guarded
from projects.tokens import issue


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_page_says_so(copied, stack: Stack):
    link = issue(copied(), user_id="C1", user_name="王芳", access_type="customer")
    web = stack.web(DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    page = f"{web.url}/project/SO-1"
    for language, words in (("zh-hans", 'lang="zh-hans"'), ("en", "Back in a moment")):
        for cookies in ({COOKIE: link.token}, {COOKIE: link.token, "sessionid": "x" * 32}, {}):
            answer = requests.get(page, cookies={**cookies, "django_language": language}, timeout=20)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
            assert words in answer.text
            assert_guarded(answer)
        answer = requests.get(f"{page}?token={link.token}", cookies={"django_language": language}, timeout=20)
        assert answer.status_code == 503
        assert link.token not in answer.text

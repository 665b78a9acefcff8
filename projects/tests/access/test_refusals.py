"""What opens nothing: the right code each, the same work, and no word more."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from jwt.algorithms import HMACAlgorithm

from projects import keys, tokens
from projects.models import AccessOutcome, ProjectAccessLog, ProjectAccessToken, ProjectCache, RemoteSource, Role
from projects.sync.apply import apply_one
from projects.tests.access.conftest import ITEM, Read
from projects.tokens import Issued, issue, revoke

pytestmark = pytest.mark.django_db


def coded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def parts(token: str) -> list[str]:
    return token.split(".")


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def secret(settings: Any) -> str:
    return str(settings.PROJECT_TOKEN_KEYS[0])


# --- tokens that are not ours ----------------------------------------------------------------------------------------


def missing(token: str, key: str) -> str:
    return ""


def garbled(token: str, key: str) -> str:
    return "no.token.at-all"


def not_ascii(token: str, key: str) -> str:
    return parts(token)[0] + ".令牌.令牌"


def longer_than_any(token: str, key: str) -> str:
    return token + "A" * 5000


def cut_short(token: str, key: str) -> str:
    return ".".join(parts(token)[:2])


def not_base64(token: str, key: str) -> str:
    header, _payload, signature = parts(token)
    return f"{header}.!!!!.{signature}"


def other_claims(token: str, key: str) -> str:
    header, _payload, signature = parts(token)
    return f"{header}.{coded(claims(token) | {'project': 'P-2002'})}.{signature}"


def other_signature(token: str, key: str) -> str:
    header, payload, signature = parts(token)
    return f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def without_algorithm(token: str, key: str) -> str:
    kid = jwt.get_unverified_header(token)["kid"]
    return f"{coded({'alg': 'none', 'kid': kid, 'typ': 'JWT'})}.{parts(token)[1]}."


def with_algorithm_in_capitals(token: str, key: str) -> str:
    return f"{coded({'alg': 'NONE', 'typ': 'JWT'})}.{parts(token)[1]}."


def with_rs256(token: str, key: str) -> str:
    """An RSA header over our HMAC: whoever trusts the header verifies with the wrong kind of key."""
    kid = jwt.get_unverified_header(token)["kid"]
    header = coded({"alg": "RS256", "kid": kid, "typ": "JWT"})
    signature = (
        jwt.api_jws.PyJWS().get_algorithm_by_name("HS256").sign(f"{header}.{parts(token)[1]}".encode(), key.encode())
    )
    return f"{header}.{parts(token)[1]}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def with_hs512(token: str, key: str) -> str:
    """Our key, our kid, another algorithm."""
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.encode(claims(token), key * 2, algorithm="HS512", headers={"kid": kid})


def with_unknown_kid(token: str, key: str) -> str:
    return jwt.encode(claims(token), key, algorithm="HS256", headers={"kid": "00000000"})


def without_kid(token: str, key: str) -> str:
    return jwt.encode(claims(token), key, algorithm="HS256")


def with_own_key_in_header(token: str, key: str) -> str:
    kid = jwt.get_unverified_header(token)["kid"]
    jwk = {"kty": "oct", "k": coded("x" * 40)}
    return jwt.encode(claims(token), "x" * 40, algorithm="HS256", headers={"kid": kid, "jwk": jwk})


def signed_by_a_stranger(token: str, key: str) -> str:
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.encode(claims(token), "a stranger's key of a good length", algorithm="HS256", headers={"kid": kid})


def without_a_row(token: str, key: str) -> str:
    """Genuine by its signature, and not in the table."""
    return keys.sign(claims(token) | {"jti": "another"})


FORGERIES = [
    missing,
    garbled,
    not_ascii,
    longer_than_any,
    cut_short,
    not_base64,
    other_claims,
    other_signature,
    without_algorithm,
    with_algorithm_in_capitals,
    with_rs256,
    with_hs512,
    with_unknown_kid,
    without_kid,
    with_own_key_in_header,
    signed_by_a_stranger,
    without_a_row,
]
INVALID = {"detail": "This link is not valid.", "code": "token_invalid"}


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
@pytest.mark.parametrize("verify", [False, True], ids=["read", "verify"])
def test_what_is_not_ours_is_one_and_the_same(
    forge: Callable[[str, str], str], verify: bool, link: Issued, read: Read, settings: Any
) -> None:
    response = read(forge(link.token, secret(settings)), verify=verify)
    assert response.status_code == 401
    assert response.json() == ({"has_access": False, **INVALID} if verify else INVALID)
    entry = ProjectAccessLog.objects.get()
    assert (entry.outcome, entry.remote_id, entry.token) == (AccessOutcome.INVALID, "P-1001", None)


# --- genuine ones that are good no more -------------------------------------------------------------------------------


def expired(link: Issued) -> tuple[str, str]:
    ProjectAccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return link.token, "P-1001"


def expired_and_purged(link: Issued) -> tuple[str, str]:
    token = keys.sign(claims(link.token) | {"exp": int(timezone.now().timestamp()) - 1})
    return token, "P-1001"


def revoked(link: Issued) -> tuple[str, str]:
    revoke(ProjectAccessToken.objects.all(), None)
    return link.token, "P-1001"


def revoked_and_expired(link: Issued) -> tuple[str, str]:
    expired(link)
    return revoked(link)


def for_another(link: Issued) -> tuple[str, str]:
    source = RemoteSource.objects.get()
    apply_one(source, ITEM | {"id": "P-2002"}, now=timezone.now())
    return link.token, "P-2002"


def for_none(link: Issued) -> tuple[str, str]:
    return link.token, "P-9999"


REFUSED: dict[Callable[[Issued], tuple[str, str]], tuple[int, str]] = {
    expired: (401, "token_expired"),
    expired_and_purged: (401, "token_expired"),
    revoked: (403, "token_revoked"),
    revoked_and_expired: (403, "token_revoked"),
    for_another: (403, "wrong_project"),
    for_none: (403, "wrong_project"),
}


@pytest.mark.parametrize("happen", REFUSED, ids=lambda happen: happen.__name__)
@pytest.mark.parametrize("verify", [False, True], ids=["read", "verify"])
def test_every_refusal_has_its_code(
    happen: Callable[[Issued], tuple[str, str]], verify: bool, link: Issued, read: Read
) -> None:
    status, code = REFUSED[happen]
    response = read(*happen(link), verify=verify)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json().get("has_access") is (False if verify else None)
    assert "主轴" not in response.content.decode()
    assert ProjectAccessLog.objects.get().outcome == code


def test_what_exists_and_what_does_not_look_the_same(link: Issued, read: Read) -> None:
    another, none = (read(*case(link)) for case in (for_another, for_none))
    assert another.content == none.content
    assert dict(another.headers) == dict(none.headers)


def test_a_refused_genuine_link_is_logged_with_its_person(link: Issued, read: Read) -> None:
    read(*revoked(link))
    entry = ProjectAccessLog.objects.get()
    assert (entry.token, entry.person, entry.access_type) == (link.row, "王芳", "customer")
    link.row.refresh_from_db()
    assert link.row.use_count == 0


def test_a_link_ends_at_its_very_second(project: ProjectCache, read: Read) -> None:
    made = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    with time_machine.travel(made, tick=False):
        link = issue(project, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER, days=7)
    with time_machine.travel(made + timedelta(days=7, microseconds=-1), tick=False):
        assert read(link.token, verify=True).status_code == 200
    with time_machine.travel(made + timedelta(days=7), tick=False):
        assert read(link.token, verify=True).json()["code"] == "token_expired"


def test_the_row_ends_a_link_early(link: Issued, read: Read) -> None:
    """The token itself would still be good for a week."""
    assert read(link.token, verify=True).status_code == 200
    ProjectAccessToken.objects.update(expires_at=timezone.now())
    assert read(link.token, verify=True).json()["code"] == "token_expired"


# --- rotated keys -----------------------------------------------------------------------------------------------------


def test_links_outlive_a_new_key_and_end_with_theirs(link: Issued, project: ProjectCache, read: Read, settings: Any):
    old, new = secret(settings), "a new key that is at least 32 characters long"
    settings.PROJECT_TOKEN_KEYS = [new, old]
    fresh = issue(project, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER)
    assert jwt.get_unverified_header(fresh.token)["kid"] != jwt.get_unverified_header(link.token)["kid"]
    assert read(link.token, verify=True).status_code == read(fresh.token, verify=True).status_code == 200
    settings.PROJECT_TOKEN_KEYS = [new]
    assert read(link.token, verify=True).json()["code"] == "token_invalid"
    assert read(fresh.token, verify=True).status_code == 200


def test_a_kid_does_not_choose_another_key(link: Issued, read: Read, settings: Any) -> None:
    """The new key's name over the old key's signature."""
    settings.PROJECT_TOKEN_KEYS = ["a new key that is at least 32 characters long", secret(settings)]
    header = parts(keys.sign({}))[0]
    assert read(".".join([header, *parts(link.token)[1:]])).json()["code"] == "token_invalid"


# --- the same work ----------------------------------------------------------------------------------------------------


@pytest.fixture
def hmacs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was signed anew to compare it."""
    sizes: list[int] = []
    verify = HMACAlgorithm.verify

    def counted(self: HMACAlgorithm, message: bytes, key: bytes, signature: bytes) -> bool:
        sizes.append(len(message))
        return verify(self, message, key, signature)

    monkeypatch.setattr(HMACAlgorithm, "verify", counted)
    return sizes


def test_every_answer_costs_the_same_work(link: Issued, read: Read, settings: Any, hmacs: list[int]) -> None:
    """A look-up and an HMAC each, and for refusals one row in the log: nothing to tell the cases apart by."""
    cases = [(forge.__name__, (forge(link.token, secret(settings)), "P-1001")) for forge in FORGERIES]
    cases += [(happen.__name__, happen(link)) for happen in (for_none, for_another, expired_and_purged)]
    cases += [(happen.__name__, happen(link)) for happen in (expired, revoked)]
    tokens.digest("")  # warm
    work = {}
    for name, (token, remote_id) in cases:
        hmacs.clear()
        with CaptureQueriesContext(connection) as queries:
            assert read(token, remote_id).status_code in (401, 403)
        statements = [query["sql"].split()[0] for query in queries if "throttle" not in query["sql"]]
        work[name] = (len(hmacs), tuple(word for word in statements if word != "PRAGMA"))
    assert len(set(work.values())) == 1, work
    assert work["garbled"][0] == 1

"""The table of error codes, and the exceptions that are made of it."""

from __future__ import annotations

import pickle

import pytest
from django.utils import translation

from config.durable import PermanentFailure, TemporaryFailure
from wecom.errcodes import TABLE
from wecom.errors import (
    Family,
    OutcomeUnknown,
    PermanentError,
    QuotaError,
    RetryableError,
    TokenError,
    describe,
    error_for,
    hint_of,
    raise_for_answer,
)

HINT = "system busy, hint: [1767225600_12_abcdef0123456789], from ip: 203.0.113.7, more info at https://open.example"

# Doc 90313 and 91039, group by group, written down here independently of the table.
RETRYABLE = [-1, 301064, 620004, 6000, 45035, 301026, 301057, 301112, 50100, 60268]
QUOTA = [45009, 45033, 45036]
TOKEN = [40014, 42001, 40001]
CONFIG = [
    *(40013, 40056, 40091, 43012, 48001, 48002, 48005, 48006, 48009, 48010, 50003, 50006, 60020, 60031),
    *(301002, 301007, 301055, 301056, 301088, 41001, 41002, 41004, 40082, 42009),
]
ARGUMENTS = [
    *(40003, 40008, 40032, 40033, 40035, 40058, 40063, 40206, 41011, 44004, 45002, 45029, 45034),
    *(301025, 301079, 301086, 301087, 301115),
]
OBJECTS = [
    *(40007, 40068, 40096, 46004, 60111, 60003, 60123, 60011, 60021, 50002, 92000, 81013, 82001, 84061, 84074, 701008),
]
LOGIN = [40029, 42022, 42003, 50001, 84014, 84015, 84025]
CARDS = [42014, 42015, 42016, *range(42017, 42021), *range(42027, 42052), 42052, 60140, 82101, 82102]
JS_SDK = [40093, 49004, 42012, 91040, 92002]
PERMANENT = [*CONFIG, *ARGUMENTS, *OBJECTS, *LOGIN, *CARDS, *JS_SDK]

FAMILIES = {
    **dict.fromkeys(RETRYABLE, Family.RETRY),
    **dict.fromkeys(QUOTA, Family.QUOTA),
    **dict.fromkeys(TOKEN, Family.TOKEN),
    **dict.fromkeys(PERMANENT, Family.PERMANENT),
}


@pytest.mark.parametrize(("errcode", "family"), FAMILIES.items())
def test_every_documented_code_has_its_family_a_sentence_and_a_remedy(errcode, family):
    info = TABLE[errcode]
    assert info.family == family
    with translation.override("en"):
        assert str(info.sentence).endswith(".")
        assert str(info.remedy).endswith((".", ")"))


def test_the_table_holds_no_code_that_the_documents_do_not():
    assert set(TABLE) == set(FAMILIES)


def test_an_unknown_code_is_permanent():
    error = error_for("oa/applyevent", 987654, "something new")
    assert describe(987654).family == Family.PERMANENT
    assert isinstance(error, PermanentFailure)
    assert "987654" in str(error)


@pytest.mark.parametrize(
    ("errcode", "expected", "durable"),
    [
        (-1, RetryableError, TemporaryFailure),
        (42001, TokenError, TemporaryFailure),
        (40001, TokenError, TemporaryFailure),
        (45009, QuotaError, TemporaryFailure),
        (301055, PermanentError, PermanentFailure),
    ],
)
def test_a_family_becomes_an_exception_that_the_queue_understands(errcode, expected, durable):
    error = error_for("oa/getapprovaldetail", errcode, HINT)
    assert type(error) is expected
    assert isinstance(error, durable)


def test_40001_is_permanent_once_a_fresh_token_was_refused_too():
    assert type(error_for("oa/applyevent", 40001, "invalid credential", final=True)) is PermanentError
    assert type(error_for("oa/applyevent", 42001, "expired", final=True)) is TokenError


def test_301057_leaves_the_outcome_of_a_writing_call_open():
    assert type(error_for("oa/applyevent", 301057, "", writes=True)) is OutcomeUnknown
    assert type(error_for("oa/getapprovaldetail", 301057, "")) is RetryableError


def test_an_error_says_what_happened_what_to_do_and_the_reference():
    with translation.override("en"):
        text = str(error_for("oa/applyevent", 301055, HINT))
    assert text == (
        "The app may not use approvals, or the applicant is outside its visible scope. "
        "Add the app under 审批 → 可调用接口的应用, and the applicant to the app's 可见范围; then retry. "
        "[oa/applyevent, errcode 301055, hint 1767225600_12_abcdef0123456789]"
    )


def test_60020_names_the_address_that_wecom_saw():
    with translation.override("en"):
        assert "Add 203.0.113.7 to 企业可信IP" in str(error_for("oa/applyevent", 60020, HINT).remedy)
        assert "public address" in str(error_for("oa/applyevent", 60020, "not allow").remedy)


def test_45009_says_how_long_to_stay_away():
    assert error_for("oa/getapprovalinfo", 45009, "api freq out of limit").retry_after == 60


@pytest.mark.parametrize(("errmsg", "hint"), [(HINT, "1767225600_12_abcdef0123456789"), ("ok", ""), ("hint: []", "")])
def test_the_hint_is_found_in_the_text(errmsg, hint):
    assert hint_of(errmsg) == hint


@pytest.mark.parametrize("answer", [{}, {"errcode": 0, "errmsg": "ok"}, {"errcode": 0, "errmsg": "created"}])
def test_success_is_errcode_missing_or_zero(answer):
    raise_for_answer("oa/applyevent", answer)


def test_a_half_parsed_body_is_an_error_beside_errcode_0():
    with pytest.raises(PermanentError):
        raise_for_answer("oa/applyevent", {"errcode": 0, "errmsg": "ok. Warning: wrong json format. hint: [1_2_3]"})


def test_an_errcode_that_is_no_number_is_no_success():
    with pytest.raises(RetryableError):
        raise_for_answer("oa/getapprovaldetail", {"errcode": "what"})
    with pytest.raises(OutcomeUnknown):
        raise_for_answer("oa/applyevent", {"errcode": ["what"]}, writes=True)


def test_a_secret_that_wecom_repeats_is_masked():
    with pytest.raises(PermanentError) as caught:
        raise_for_answer("oa/applyevent", {"errcode": 41001, "errmsg": "got canary-7f"}, hide="canary-7f")
    assert caught.value.errmsg == "got ***"


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(error_for("oa/applyevent", 60020, HINT)))  # noqa: S301 - our own bytes
    assert (type(error), error.errcode, error.hint) == (PermanentError, 60020, "1767225600_12_abcdef0123456789")
    assert "203.0.113.7" in str(error)

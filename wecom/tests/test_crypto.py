"""Signature and AES, against the official vectors and against everything that may be wrong with a text."""

from __future__ import annotations

import base64
import hashlib

import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st

from wecom.crypto import (
    CallbackCrypto,
    CallbackError,
    IllegalAesKey,
    IllegalBase64,
    IllegalBuffer,
    ReceiveIdMismatch,
    decode_aes_key,
)
from wecom.tests.vectors import (
    AES_KEY,
    ALIGNED,
    CORP_ID,
    ECHO,
    NONCE,
    POSTED,
    PREFIX,
    TIMESTAMP,
    TOKEN,
    Vector,
    crypto,
)

VECTORS = pytest.mark.parametrize("vector", [POSTED, ECHO, ALIGNED], ids=["A-post", "B-echo", "C-aligned"])


def encrypt_raw(buffer: bytes) -> str:
    """Any plaintext buffer, right or wrong, under the vectors' key."""
    key = decode_aes_key(AES_KEY)
    return base64.b64encode(AES.new(key, AES.MODE_CBC, key[:16]).encrypt(buffer)).decode()


def packed(message: bytes, *, length: int | None = None, receive_id: bytes = CORP_ID.encode()) -> bytes:
    return PREFIX + (len(message) if length is None else length).to_bytes(4, "big") + message + receive_id


def test_the_key_is_the_documented_one() -> None:
    assert decode_aes_key(AES_KEY).hex() == "abb470d99913d26571f4b6cde1c26961fe87b0677551e028de206df16bcac84d"


@VECTORS
def test_vectors_encrypt_to_the_documented_text(vector: Vector) -> None:
    assert crypto().encrypt(vector.message.encode(), prefix=PREFIX) == vector.encrypted


@VECTORS
def test_vectors_decrypt_to_the_documented_message(vector: Vector) -> None:
    assert crypto().decrypt(vector.encrypted).decode() == vector.message


@VECTORS
def test_vectors_are_signed_as_documented(vector: Vector) -> None:
    assert crypto().sign(TIMESTAMP, NONCE, vector.encrypted) == vector.signature
    assert crypto().check(vector.signature, TIMESTAMP, NONCE, vector.encrypted)


def test_vector_a_is_the_documented_message() -> None:
    digest = "9eccc3a6a16b1dd2285aa64c6e4c60ad8d4c496d989ec8d973a456a586f73c22"
    assert hashlib.sha256(crypto().decrypt(POSTED.encrypted)).hexdigest() == digest


@pytest.mark.parametrize("position", range(40))
def test_one_wrong_digit_of_the_signature_is_noticed(position: int) -> None:
    digit = "0" if POSTED.signature[position] != "0" else "1"
    wrong = POSTED.signature[:position] + digit + POSTED.signature[position + 1 :]
    assert not crypto().check(wrong, TIMESTAMP, NONCE, POSTED.encrypted)


@pytest.mark.parametrize("signature", ["", POSTED.signature.upper(), POSTED.signature + "0", "签名", "\ud800"])
def test_a_signature_of_another_shape_is_wrong_and_no_crash(signature: str) -> None:
    assert not crypto().check(signature, TIMESTAMP, NONCE, POSTED.encrypted)


@pytest.mark.parametrize(
    ("timestamp", "nonce", "encrypted"),
    [("1767225601", NONCE, POSTED.encrypted), (TIMESTAMP, "1", POSTED.encrypted), (TIMESTAMP, NONCE, ECHO.encrypted)],
)
def test_every_signed_value_counts(timestamp: str, nonce: str, encrypted: str) -> None:
    assert not crypto().check(POSTED.signature, timestamp, nonce, encrypted)


def test_the_token_counts() -> None:
    assert not crypto(token="another").check(POSTED.signature, TIMESTAMP, NONCE, POSTED.encrypted)


def test_another_company_is_refused() -> None:
    with pytest.raises(ReceiveIdMismatch) as refused:
        crypto(corp_id="wwfacade9999999999").decrypt(POSTED.encrypted)
    assert (refused.value.code, refused.value.http_status) == (-40005, 403)


@pytest.mark.parametrize("encrypted", [POSTED.encrypted[:-3], "====", "not base64!", "签名", "\ud800", "a" * 5])
def test_bad_base64_is_refused(encrypted: str) -> None:
    with pytest.raises(IllegalBase64) as refused:
        crypto().decrypt(encrypted)
    assert (refused.value.code, refused.value.http_status) == (-40010, 400)


@pytest.mark.parametrize(
    "buffer",
    [
        packed(b"hello") + bytes([0] * 5),
        packed(b"hello") + b"\x21" * 5,
        packed(b"hello") + b"\x04\x05\x05\x05\x05",
        packed(b"hello", length=100) + b"\x05" * 5,
        packed(b"hello", length=2**32 - 1) + b"\x05" * 5,
        b"\x10" * 16,
        b"\x20" * 32,
    ],
    ids=["pad 0", "pad 33", "uneven pad", "length too large", "largest length", "16 bytes", "nothing but pad"],
)
def test_a_damaged_buffer_is_refused(buffer: bytes) -> None:
    assert len(buffer) % 16 == 0
    with pytest.raises(IllegalBuffer) as refused:
        crypto().decrypt(encrypt_raw(buffer))
    assert (refused.value.code, refused.value.http_status) == (-40008, 400)


@pytest.mark.parametrize("bytes_kept", [0, 8, 24])
def test_a_ciphertext_of_odd_length_is_refused(bytes_kept: int) -> None:
    cut = base64.b64encode(base64.b64decode(POSTED.encrypted)[:bytes_kept]).decode()
    with pytest.raises(IllegalBuffer):
        crypto().decrypt(cut)


def test_the_wrong_key_is_refused() -> None:
    with pytest.raises(CallbackError) as refused:
        crypto(aes_key="A" * 43).decrypt(POSTED.encrypted)
    assert refused.value.code == -40008


@pytest.mark.parametrize("key", ["", AES_KEY[:-1], AES_KEY + "A", AES_KEY[:-1] + "!", "é" * 43, AES_KEY[:-2] + "=="])
def test_an_illegal_key_is_refused(key: str) -> None:
    with pytest.raises(IllegalAesKey) as refused:
        CallbackCrypto(TOKEN, key, CORP_ID)
    assert (refused.value.code, refused.value.http_status) == (-40004, 500)


def test_the_same_message_is_encrypted_differently_each_time() -> None:
    assert crypto().encrypt(b"x") != crypto().encrypt(b"x")


@given(message=st.binary(max_size=4096) | st.text().map(str.encode), receive_id=st.text(max_size=64))
def test_whatever_is_encrypted_comes_back(message: bytes, receive_id: str) -> None:
    with_id = crypto(corp_id=receive_id)
    encrypted = with_id.encrypt(message)
    assert len(base64.b64decode(encrypted)) % 32 == 0
    assert with_id.decrypt(encrypted) == message


@given(length=st.integers(min_value=0, max_value=100))
def test_every_padding_from_1_to_32_comes_back(length: int) -> None:
    assert crypto().decrypt(crypto().encrypt(b"a" * length)) == b"a" * length


@given(noise=st.binary(max_size=200))
def test_noise_is_refused_by_the_family_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(CallbackError):
        crypto().decrypt(base64.b64encode(noise).decode())


@given(
    token=st.text(max_size=32),
    timestamp=st.text(max_size=12),
    nonce=st.text(max_size=12),
    encrypted=st.text(max_size=99),
)
def test_the_signature_is_that_of_the_sorted_bytes(token: str, timestamp: str, nonce: str, encrypted: str) -> None:
    parts = sorted(part.encode() for part in (token, timestamp, nonce, encrypted))
    expected = hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()
    assert crypto(token=token).sign(timestamp, nonce, encrypted) == expected

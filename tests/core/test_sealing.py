"""Sealed fields: secrecy, binding, rotation, search, masks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sealing import KeyRing, SealBroken, mask_id_number, mask_phone, normal_phone

OLD = KeyRing.from_secrets(["the secret of last year"])
RING = KeyRing.from_secrets(["the secret of this year", "the secret of last year"])
PHONE = "customer.phone"


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    assert RING.open(RING.seal(text, context=PHONE), context=PHONE) == text


def test_a_seal_hides_its_text_and_never_repeats() -> None:
    first, second = (RING.seal("13812345678", context=PHONE) for _ in range(2))
    assert "138" not in first
    assert first != second
    assert "secret" not in repr(RING._keys)


def test_a_seal_is_bound_to_its_field_and_to_every_byte() -> None:
    sealed = RING.seal("13812345678", context=PHONE)
    with pytest.raises(SealBroken):
        RING.open(sealed, context="customer.id_number")
    version, key_id, body = sealed.split(".")
    flipped = body[:-3] + ("A" if body[-3] != "A" else "B") + body[-2:]
    for forged in (
        f"{version}.{key_id}.{flipped}",
        f"v2.{key_id}.{body}",
        f"{version}.00000000.{body}",
        f"{version}.{key_id}",
        "plain",
        f"{version}.{key_id}.AAAA",
        f"{version}.{key_id}.中",
    ):
        with pytest.raises(SealBroken):
            RING.open(forged, context=PHONE)


def test_after_a_rotation_old_seals_open_and_ask_to_be_renewed() -> None:
    sealed = OLD.seal("13812345678", context=PHONE)
    assert RING.open(sealed, context=PHONE) == "13812345678"
    assert RING.needs_resealing(sealed)
    fresh = RING.seal("13812345678", context=PHONE)
    assert not RING.needs_resealing(fresh)
    assert not RING.needs_resealing("")
    with pytest.raises(SealBroken):
        OLD.open(fresh, context=PHONE)


def test_the_blind_index_finds_equal_values_under_old_and_new_keys() -> None:
    written_last_year = OLD.blind_index("13812345678", context=PHONE)
    assert written_last_year in RING.blind_indexes("13812345678", context=PHONE)
    assert RING.blind_index("13812345678", context=PHONE) != written_last_year
    assert RING.blind_index("13812345678", context="x") != RING.blind_index(
        "13812345678", context=PHONE
    )
    assert RING.blind_index("", context=PHONE) == ""


def test_keys_differ_by_purpose_and_empty_secrets_are_refused() -> None:
    assert RING.key_for("ticket") != RING.key_for("access-token")
    assert RING.key_for("ticket", "nowhere") is None
    with pytest.raises(ValueError, match="empty"):
        KeyRing.from_secrets([""])
    with pytest.raises(ValueError, match="needs a key"):
        KeyRing.from_secrets([])


@pytest.mark.parametrize(
    ("given_text", "normal", "masked"),
    [
        ("+86 138-1234-5678", "13812345678", "138****5678"),
        ("010-6123 4567", "01061234567", "010****4567"),
        ("12345", "12345", "****45"),
        ("123", "123", "****"),
        ("", "", ""),
    ],
)
def test_phones_are_normalised_and_masked(given_text: str, normal: str, masked: str) -> None:
    assert normal_phone(given_text) == normal
    assert mask_phone(normal) == masked


def test_identity_numbers_show_their_ends_only() -> None:
    assert mask_id_number("110101199003078515") == "110*************15"
    assert mask_id_number("1234") == "****"

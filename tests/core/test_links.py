from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.links import LinkRefused, read, short_signature, sign
from core.sealing import KeyRing

KEYS = KeyRing.from_secrets(["a secret of sixteen"])
NOW = ManualClock().now()
SOON = NOW + timedelta(hours=1)


def test_a_link_names_what_was_signed_until_it_expires() -> None:
    token = sign(KEYS, "ticket", ("t1", "c1"), expires_at=SOON)
    assert read(KEYS, "ticket", token, now=NOW) == ("t1", "c1")
    with pytest.raises(LinkRefused, match="link_expired"):
        read(KEYS, "ticket", token, now=SOON)
    with pytest.raises(LinkRefused, match="link_invalid"):
        read(KEYS, "registration", token, now=NOW)
    with pytest.raises(LinkRefused):
        read(KeyRing.from_secrets(["another secret of 16"]), "ticket", token, now=NOW)


def test_links_outlive_a_change_of_keys() -> None:
    token = sign(KEYS, "ticket", ("t1",), expires_at=SOON)
    rotated = KeyRing.from_secrets(["another secret of 16", "a secret of sixteen"])
    assert read(rotated, "ticket", token, now=NOW) == ("t1",)


@given(st.data())
def test_no_character_of_a_link_can_be_changed(data: st.DataObject) -> None:
    token = sign(KEYS, "ticket", ("t1", "c1"), expires_at=SOON)
    place = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[place]))
    with pytest.raises(LinkRefused):
        read(KEYS, "ticket", token[:place] + char + token[place + 1 :], now=NOW)


@given(st.text(max_size=600))
def test_nonsense_is_refused_without_a_crash(text: str) -> None:
    with pytest.raises(LinkRefused):
        read(KEYS, "ticket", text, now=NOW)


def test_short_signatures_differ_by_purpose_text_and_key() -> None:
    seen = {short_signature(KEYS, purpose, text) for purpose in "ab" for text in "xy"}
    assert len(seen) == 4
    assert short_signature(KEYS, "a", "x", key_id="unknown") == ""

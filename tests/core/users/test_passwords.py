"""Password rules and hashes."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from core.ports import WriteBlockError, in_write_block
from core.settings.sections import Security
from core.users.passwords import check_rules, hash_password, matches

RULES = Security()


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Ab1", "length"),
        ("a" * 129, "too_long"),
        ("onlyletters", "classes"),
        ("1234567890123", "classes"),
        ("Lin-2026-desk", "username"),
        ("Passw0rd", "common"),
        ("aA1aA1aA", "common"),
        ("密码密码密码密码", "classes"),
    ],
)
def test_weak_passwords_are_refused_with_the_rule(password: str, rule: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_rules(password, username="lin", rules=RULES)
    assert caught.value.facts["rule"] == rule


def test_good_passwords_pass() -> None:
    for password in ("Kf-desk-2026", "correct horse battery 9", "密码很长的一句话A"):
        check_rules(password, username="lin", rules=RULES)


async def test_hashes_match_their_password_only() -> None:
    stored = await hash_password("Kf-desk-2026")
    assert stored.startswith("$argon2id$")
    assert await matches(stored, "Kf-desk-2026")
    for wrong in ("kf-desk-2026", "", "x" * 5000, "\ud800"):
        assert not await matches(stored, wrong)
    assert not await matches(None, "Kf-desk-2026")
    assert not await matches("not a hash", "x")


async def test_hashing_inside_a_write_block_is_a_mistake() -> None:
    token = in_write_block.set(True)
    try:
        with pytest.raises(WriteBlockError):
            await hash_password("x")
    finally:
        in_write_block.reset(token)

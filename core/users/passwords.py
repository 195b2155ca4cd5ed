"""Passwords: argon2id hashes, and the rules that a new one must meet."""

from __future__ import annotations

import asyncio
import string
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Invalid
from core.ports import refuse_inside_write_block
from core.settings.sections import Security

MAX_LENGTH: Final = 128
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Compared with when there is no such user, so that both refusals take as long.
_NOBODY: Final = _HASHER.hash("nobody has this password")
_COMMON: Final = frozenset(
    files("core.users").joinpath("common_passwords.txt").read_text(encoding="ascii").split()
)
#: Two at a time: hashing is memory-hard, and a burst of logins must not starve the messages.
_POOL: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


async def hash_password(password: str) -> str:
    """Off the event loop, outside of write blocks."""
    refuse_inside_write_block("Hashing a password")
    return await asyncio.get_running_loop().run_in_executor(_POOL, _HASHER.hash, password)


async def matches(stored_hash: str | None, password: str) -> bool:
    """False, after as long a time, when there is no hash to compare with."""
    refuse_inside_write_block("Checking a password")
    if len(password) > MAX_LENGTH:
        return False
    loop = asyncio.get_running_loop()
    fits = await loop.run_in_executor(_POOL, _verify, stored_hash or _NOBODY, password)
    return fits and stored_hash is not None


def needs_rehash(stored_hash: str) -> bool:
    return _HASHER.check_needs_rehash(stored_hash)


def check_rules(password: str, *, username: str, rules: Security) -> None:
    """Raises: Invalid `weak_password` with `rule` and what it asks for."""
    if len(password) < rules.password_min_length:
        raise _weak("length", least=rules.password_min_length)
    if len(password) > MAX_LENGTH:
        raise _weak("too_long", most=MAX_LENGTH)
    if _classes(password) < rules.password_min_classes:
        raise _weak("classes", least=rules.password_min_classes)
    folded = password.casefold()
    if username.casefold() in folded:
        raise _weak("username")
    if folded in _COMMON or len(set(folded)) < 4:
        raise _weak("common")


def _weak(rule: str, **facts: object) -> Invalid:
    return Invalid("weak_password", field="password", rule=rule, **facts)


def _classes(password: str) -> int:
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    found = sum(any(char in kind for char in password) for kind in kinds)
    return found + any(all(char not in kind for kind in kinds) for char in password)


def _verify(stored_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False

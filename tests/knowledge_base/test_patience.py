"""A model that is busy makes background work wait, and not fail."""

from __future__ import annotations

import pytest

from knowledge.patience import patiently


async def test_a_late_model_is_asked_again_and_one_that_stays_late_is_said_to_be() -> None:
    late = [TimeoutError(), TimeoutError()]

    async def ask() -> str:
        if late:
            raise late.pop()
        return "answer"

    assert await patiently(ask) == "answer"

    async def never() -> str:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await patiently(never)

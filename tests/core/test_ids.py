"""Ids: short, unlike each other, and in the order in which they were made."""

from __future__ import annotations

from core.ids import new_id


def test_ids_sort_as_they_were_made_even_within_a_millisecond() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(set(made))


def test_an_id_fits_where_platforms_want_it() -> None:
    one = new_id()
    assert len(one) == 20
    assert one.isalnum()
    assert one == one.lower()

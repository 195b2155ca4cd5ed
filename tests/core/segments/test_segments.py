from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.accounts.models import AccountRow
from core.actor import Actor
from core.content import Address
from core.conversations.models import ConversationRow
from core.customers import service as customers
from core.customers.models import CustomerRow
from core.db import Tx, UnitOfWork
from core.errors import Conflict, Forbidden, Invalid
from core.institutions import service as institutions
from core.institutions.service import InstitutionDraft
from core.ratings.models import RatingRow
from core.segments import service
from core.segments.service import SegmentDraft, parse_rule
from core.sessions.models import SessionRow
from core.tickets import service as tickets
from core.tickets.service import TicketDraft
from tests.core import seed

BOSS = Actor.system()


async def company(tx: Tx) -> dict[str, str]:
    """a: gold hospital, active, tagged; b: below it, quiet; c: elsewhere; d: without a place."""
    a_place = await institutions.create(
        tx,
        InstitutionDraft("苏州医院", None, "hospital", "320500", "直报", "3.1", "gold"),
        by=BOSS,
    )
    b_place = await institutions.create(
        tx, InstitutionDraft("分院", a_place, "clinic", "320508"), by=BOSS
    )
    c_place = await institutions.create(
        tx, InstitutionDraft("杭州疾控", None, "cdc", "330100"), by=BOSS
    )
    tx.db.add(
        AccountRow(id="door", channel="wecom_kf", account="kf", name="客服", created_at=tx.now)
    )
    ids = {}
    for name, place in (("a", a_place), ("b", b_place), ("c", c_place), ("d", None)):
        identity = await customers.ensure_identity(tx, Address("wecom_kf", "kf", name))
        ids[name] = identity.customer_id
        row = await tx.db.get_one(CustomerRow, identity.customer_id)
        row.name, row.institution_id, row.is_temporary = f"客户{name}", place, name == "d"
        row.created_at = tx.now - timedelta(days=100 if name in "ab" else 1)
        wrote_at = tx.now - timedelta(days={"a": 1, "b": 40, "c": 5, "d": 200}[name])
        tx.db.add(
            ConversationRow(
                id=f"v{name}",
                address_key=name,
                account_id="door",
                identity_id=identity.id,
                customer_id=row.id,
                created_at=tx.now,
                last_customer_at=wrote_at,
                last_message_at=wrote_at,
            )
        )
    row = await tx.db.get_one(CustomerRow, ids["a"])
    row.tags, row.custom = ["重点", "VIP"], {"post": "科长"}
    await tx.db.flush()
    for number, score in enumerate((5, 4)):
        tx.db.add(
            SessionRow(
                id=f"s{number}",
                conversation_id="va",
                account_id="door",
                customer_id=ids["a"],
                state="closed",
                mode="console",
                opened_at=tx.now - timedelta(days=number),
            )
        )
        await tx.db.flush()
        tx.db.add(
            RatingRow(
                id=f"r{number}",
                session_id=f"s{number}",
                customer_id=ids["a"],
                score=score,
                requested_at=tx.now,
                rated_at=tx.now,
            )
        )
    await tickets.create(tx, TicketDraft("故障", ids["c"]), by=BOSS)
    ids["place"] = a_place
    return ids


def is_(field: str, value: str = "", op: str = "is") -> dict[str, Any]:
    return {"kind": "attribute", "field": field, "op": op, "value": value}


CASES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "all"}, "abcd"),
    (is_("name", "客户a"), "a"),
    (is_("name", "户", "contains"), "abcd"),
    (is_("kind", "hospital"), "a"),
    (is_("kind", "hospital", "is_not"), "bcd"),
    (is_("contract_level", "", "is_empty"), "bcd"),
    (is_("custom.post", "科长"), "a"),
    (is_("custom.post", "", "is_empty"), "bcd"),
    ({"kind": "tag", "tag": "重点"}, "a"),
    ({"kind": "tag", "tag": "重"}, ""),
    ({"kind": "temporary"}, "d"),
    ({"kind": "within", "region_code": "320500"}, "ab"),
    ({"kind": "within", "region_code": "320508"}, "b"),
    ({"kind": "created", "days": 7}, "cd"),
    ({"kind": "contacted", "days": 30}, "ac"),
    ({"kind": "not", "rule": {"kind": "contacted", "days": 30}}, "bd"),
    ({"kind": "consulted", "days": 30}, "a"),
    ({"kind": "all", "rules": [{"kind": "consulted", "days": 30}]}, "a"),
    ({"kind": "consulted", "at_least": 2, "days": 30}, "a"),
    ({"kind": "consulted", "at_least": 3, "days": 30}, ""),
    ({"kind": "consulted", "what": "tickets", "days": 1}, "c"),
    ({"kind": "rated", "low": 4.5, "high": 5}, "a"),
    ({"kind": "rated", "low": 1, "high": 4}, ""),
    ({"kind": "any", "rules": [{"kind": "tag", "tag": "VIP"}, {"kind": "temporary"}]}, "ad"),
    (
        {
            "kind": "all",
            "rules": [
                {"kind": "within", "region_code": "320000"},
                {
                    "kind": "not",
                    "rule": {
                        "kind": "any",
                        "rules": [{"kind": "tag", "tag": "VIP"}, is_("kind", "cdc")],
                    },
                },
            ],
        },
        "b",
    ),
]


async def test_rules_find_whom_they_describe(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        ids = await company(tx)
    async with uow.read() as tx:
        for raw, names in CASES:
            rule = parse_rule(raw)
            found = {view.id for view in (await service.members(tx, rule)).items}
            assert found == {ids[name] for name in names}, raw
            assert await service.count(tx, rule) == len(names)
        under = parse_rule({"kind": "within", "institution_id": ids["place"]})
        assert {v.id for v in (await service.members(tx, under)).items} == {ids["a"], ids["b"]}
        first = await service.members(tx, parse_rule({"kind": "all"}), limit=3)
        rest = await service.members(
            tx, parse_rule({"kind": "all"}), limit=3, cursor=first.next_cursor
        )
        assert len({view.id for view in (*first.items, *rest.items)}) == 4


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {"kind": "sql", "text": "1=1"},
        {"kind": "tag"},
        {"kind": "within", "region_code": "苏州"},
        {"kind": "contacted", "days": 0},
        {"kind": "all", "rules": [{"kind": "all", "extra": 1}]},
    ],
)
def test_rules_that_are_none_are_refused(raw: object) -> None:
    with pytest.raises(Invalid, match="bad_rule"):
        parse_rule(raw)


async def test_a_rule_that_is_too_deep_or_names_nothing_is_not_kept(uow: UnitOfWork) -> None:
    deep: dict[str, Any] = {"kind": "all"}
    for _ in range(8):
        deep = {"kind": "not", "rule": deep}
    async with uow.write() as tx:
        for raw in (
            deep,
            is_("password"),
            {"kind": "within"},
            {"kind": "any", "rules": [{"kind": "temporary"}] * 51},
        ):
            with pytest.raises(Invalid):
                await service.create(tx, SegmentDraft("x", parse_rule(raw)), by=BOSS)


async def test_segments_are_kept_shared_and_guarded(uow: UnitOfWork) -> None:
    rule = parse_rule({"kind": "temporary"})
    async with uow.write() as tx:
        anna, bert = await seed.servicer(tx, "安娜"), await seed.servicer(tx, "伯特")
        mine = await service.create(tx, SegmentDraft("未登记", rule, is_shared=False), by=anna)
        assert await service.list_segments(tx, by=anna) == (mine,)
        assert await service.list_segments(tx, by=bert) == ()
        with pytest.raises(Forbidden):
            await service.change(tx, mine.id, SegmentDraft("x", rule), version=1, by=bert)
        with pytest.raises(Conflict, match="name_taken"):
            await service.create(tx, SegmentDraft("未登记", rule), by=bert)
        shared = await service.change(
            tx, mine.id, SegmentDraft("未登记", rule), version=1, by=anna
        )
        assert await service.list_segments(tx, by=bert) == (shared,)
        await service.remove(tx, mine.id, by=anna)
        assert await service.list_segments(tx, by=anna) == ()


async def test_custom_fields_are_compared_as_what_they_are(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        for name, custom in (
            ("甲", {"beds": 120, "since": "2024-05-01", "own": True, "grade": "A"}),
            ("乙", {"beds": 9.5, "since": "2026-01-31", "own": False, "grade": "12"}),
            ("丙", {}),
        ):
            row = await tx.db.get_one(CustomerRow, await seed.customer(tx, name))
            row.custom = custom
    expected = {
        ("beds", "is", "120"): "甲",
        ("beds", "is", "9.50"): "乙",
        ("beds", "at_least", "10"): "甲",
        ("beds", "at_most", "10"): "乙",
        ("beds", "is_not", "120"): "乙丙",
        ("beds", "is_empty", ""): "丙",
        ("since", "at_least", "2025-01-01"): "乙",
        ("since", "at_most", "2025-01-01"): "甲",
        ("own", "is", "true"): "甲",
        ("own", "is", "false"): "乙",
        ("grade", "is", "12"): "乙",
        ("grade", "contains", "A"): "甲",
        ("grade", "at_least", "1"): "",
    }
    async with uow.read() as tx:
        found = {}
        for field, op, value in expected:
            raw = {"kind": "attribute", "field": f"custom.{field}", "op": op, "value": value}
            page = await service.members(tx, parse_rule(raw))
            names = sorted((one.name for one in page.items), key="甲乙丙".index)
            found[field, op, value] = "".join(names)
    assert found == expected

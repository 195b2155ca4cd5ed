from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.accounts.models import AccountRow
from core.actor import Actor
from core.content import Address
from core.conversations.models import ConversationRow, NoteRow
from core.customers import duplicates, merge, names, profiles, service
from core.customers.file_models import CustomerMergeRow
from core.customers.models import CustomerRow, IdentityRow
from core.customers.profiles import CustomerSecret
from core.db import Base, Tx, UnitOfWork
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ratings.models import RatingRow
from core.registration import service as registration
from core.sealing import KeyRing
from core.sessions.models import SessionRow
from core.teams import service as teams
from core.teams.effective import effective_bindings
from core.teams.service import Subject, TeamDraft
from core.tickets import service as tickets
from core.tickets.service import TicketDraft
from tests.core import seed

BOSS = Actor.system()
KEYS = KeyRing.from_secrets(["a secret of sixteen"])
#: Written by the merge itself.
_LOGS = ("customer_merges", "audit_log", "event_log")


async def everything(tx: Tx, *names: str) -> dict[str, list[Any]]:
    """All rows of all tables (or of those named), in a fixed order."""
    tx.db.expire_all()
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name in names or (not names and table.name not in _LOGS):
            rows = (await tx.db.execute(select(table))).all()
            found[table.name] = sorted(map(repr, rows))
    return found


async def person(tx: Tx, name: str, user: str, *, phone: str = "", email: str = "") -> str:
    identity = await service.ensure_identity(tx, Address("wecom_kf", "door", user))
    row = await tx.db.get_one(CustomerRow, identity.customer_id)
    row.is_temporary = not phone
    await names.rename(tx, row, name)
    for kind, value in ((CustomerSecret.PHONE, phone), (CustomerSecret.EMAIL, email)):
        if value:
            await profiles.store_secret(tx, KEYS, row.id, kind, value)
    await tickets.create(tx, TicketDraft(f"{name}的问题", row.id), by=BOSS)
    return row.id


async def test_a_merge_moves_identities_tickets_and_values(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept = await person(tx, "访客1", "one", email="one@cdc.cn")
        gone = await person(tx, "李医生", "two", phone="13812345678", email="two@cdc.cn")
        result = await merge.merge(tx, kept, gone, by=BOSS)
        assert result.customer.name == "李医生"
        assert result.moved == {"identities": 1, "tickets": 1}
        assert await tx.db.get(CustomerRow, gone) is None
        same = await service.ensure_identity(tx, Address("wecom_kf", "door", "two"))
        assert same.customer_id == kept
        assert await profiles.find(tx, KEYS, CustomerSecret.PHONE, "13812345678") == (kept,)
        assert await profiles.find(tx, KEYS, CustomerSecret.EMAIL, "one@cdc.cn") == (kept,)
        assert await merge.current_id(tx, gone) == kept


async def test_undoing_brings_back_exactly_what_was(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept = await person(tx, "访客1", "one", email="one@cdc.cn")
        gone = await person(tx, "李医生", "two", phone="13812345678", email="two@cdc.cn")
    async with uow.write() as tx:
        before = await everything(tx)
        result = await merge.merge(tx, kept, gone, by=BOSS)
        assert await everything(tx) != before
    async with uow.write() as tx:
        await merge.undo(tx, result.id, by=BOSS)
    async with uow.read() as tx:
        assert await everything(tx) == before
        assert await merge.current_id(tx, gone) == gone
        (shown,) = await merge.merges_of(tx, kept)
        assert shown.undone_at is not None


async def test_team_bindings_follow_the_customer_and_come_back(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept, gone = await person(tx, "访客1", "one"), await person(tx, "李医生", "two")
        first = await teams.create(tx, TeamDraft("一组"), by=BOSS)
        second = await teams.create(tx, TeamDraft("二组"), by=BOSS)
        await teams.bind(tx, Subject("customer", kept), first.id, by=BOSS)
        await teams.bind(tx, Subject("customer", gone), first.id, by=BOSS)
        await teams.bind(tx, Subject("customer", gone), second.id, by=BOSS)
        await teams.bind(tx, Subject("customer", gone), second.id, by=BOSS, rank="secondary")
    async with uow.write() as tx:
        before = await everything(tx)
        result = await merge.merge(tx, kept, gone, by=BOSS)
        found = await effective_bindings(tx, kept)
        assert [(one.team_id, one.rank) for one in found] == [
            (first.id, "primary"),
            (second.id, "secondary"),
        ]
    async with uow.write() as tx:
        await merge.undo(tx, result.id, by=BOSS)
    async with uow.write() as tx:
        assert await everything(tx) == before


async def test_what_changed_after_the_merge_stays_with_the_kept_customer(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept = await person(tx, "甲", "one", phone="13800000001")
        gone = await person(tx, "乙", "two", phone="13800000002")
        merged = await merge.merge(tx, kept, gone, by=BOSS)
        changed = await service.change(
            tx, kept, version=merged.customer.version, by=BOSS, name="甲乙"
        )
        await tickets.create(tx, TicketDraft("合并后的工单", kept), by=BOSS)
    async with uow.write() as tx:
        returned = await merge.undo(tx, merged.id, by=BOSS)
        row = await tx.db.get_one(CustomerRow, kept)
        assert (row.name, returned.name) == ("甲乙", "乙")
        assert row.version > changed.version
        with pytest.raises(Conflict, match="already_undone"):
            await merge.undo(tx, merged.id, by=BOSS)


async def test_a_chain_of_merges_is_undone_from_its_end(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        a, b, c = [
            await person(tx, name, name, phone=f"1380000000{n}") for n, name in enumerate("abc")
        ]
        before = await everything(tx)
        first = await merge.merge(tx, b, a, by=BOSS)
        second = await merge.merge(tx, c, b, by=BOSS)
        assert await merge.current_id(tx, a) == c
        with pytest.raises(Conflict, match="merged_again"):
            await merge.undo(tx, first.id, by=BOSS)
        await merge.undo(tx, second.id, by=BOSS)
        await merge.undo(tx, first.id, by=BOSS)
        await tx.db.flush()
        assert await everything(tx) == before


async def test_who_may_merge_and_what_cannot(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        a, b = await seed.customer(tx), await seed.customer(tx)
        with pytest.raises(Forbidden):
            await merge.merge(tx, a, b, by=await seed.servicer(tx, "甲"))
        with pytest.raises(Invalid):
            await merge.merge(tx, a, a, by=BOSS)
        with pytest.raises(NotFound):
            await merge.merge(tx, a, "nobody", by=BOSS)
        assert (await tx.db.scalars(select(CustomerMergeRow))).all() == []


def test_every_table_that_names_a_customer_is_known() -> None:
    tables = {column.table.name for column in merge.customer_columns()}
    assert {
        "identities",
        "conversations",
        "sessions",
        "tickets",
        "ratings",
        "customer_secrets",
    } <= tables


SECRETS = {
    CustomerSecret.PHONE: "13812345678",
    CustomerSecret.EMAIL: "li@yun.cn",
    CustomerSecret.ID_NUMBER: "11010519491231002X",
}
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
files = st.fixed_dictionaries(
    {
        "name": texts.filter(bool),
        "note": texts,
        "tags": st.lists(texts, max_size=3, unique=True),
        "custom": st.dictionaries(st.sampled_from("abc"), texts, max_size=2),
        "is_temporary": st.booleans(),
        "avatar_url": texts,
    }
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files, files)
async def test_merge_and_undo_restore_equality(
    uow: UnitOfWork, one: dict[str, Any], other: dict[str, Any]
) -> None:
    async with uow.write() as tx:
        ids = []
        for values in (one, other):
            ids.append(await seed.customer(tx))
            row = await tx.db.get_one(CustomerRow, ids[-1])
            for name, value in values.items():
                setattr(row, name, value)
        await tx.db.flush()
        before = await everything(tx, "customers")
        result = await merge.merge(tx, ids[0], ids[1], by=BOSS)
        await merge.undo(tx, result.id, by=BOSS)
        await tx.db.flush()
        assert await everything(tx, "customers") == before


histories = st.fixed_dictionaries(
    {
        "addresses": st.integers(0, 2),
        "sessions": st.integers(0, 2),
        "tickets": st.integers(0, 2),
        "secrets": st.sets(st.sampled_from(list(SECRETS))),
        "registers": st.booleans(),
        "teams": st.sets(st.sampled_from(["primary", "secondary"])),
    }
)


async def lives(tx: Tx, who: str, history: dict[str, Any], team_id: str) -> str:
    """A customer with a past: addresses, talks with notes and ratings, tickets, numbers, teams."""
    made = await seed.customer(tx, who)
    for number in range(max(history["addresses"], history["sessions"])):
        key = f"{who}{number}"
        tx.db.add(
            IdentityRow(
                id=key, customer_id=made, channel="c", account="a", user=key, created_at=tx.now
            )
        )
        await tx.db.flush()
        tx.db.add(
            ConversationRow(
                id=key,
                address_key=key,
                account_id="door",
                identity_id=key,
                customer_id=made,
                created_at=tx.now,
            )
        )
        await tx.db.flush()
        if number < history["sessions"]:
            tx.db.add(
                SessionRow(
                    id=key,
                    conversation_id=key,
                    account_id="door",
                    customer_id=made,
                    state="closed",
                    mode="console",
                    opened_at=tx.now,
                )
            )
            await tx.db.flush()
            tx.db.add(
                RatingRow(id=key, session_id=key, customer_id=made, score=4, requested_at=tx.now)
            )
            tx.db.add(
                NoteRow(
                    id=key,
                    conversation_id=key,
                    session_id=key,
                    author_id="x",
                    author_name="x",
                    text=key,
                    created_at=tx.now,
                )
            )
    for number in range(history["tickets"]):
        await tickets.create(tx, TicketDraft(f"{who}{number}", made), by=BOSS)
    for kind in history["secrets"]:
        await profiles.store_secret(tx, KEYS, made, kind, SECRETS[kind])
    if history["registers"]:
        await registration.begin(tx, made)
    for rank in sorted(history["teams"]):
        await teams.bind(tx, Subject("customer", made), team_id, by=BOSS, rank=rank)
    return made


class Undone(Exception):
    """Ends an example: its transaction goes with it."""


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories, histories)
async def test_two_whole_pasts_become_one_and_two_again(
    uow: UnitOfWork, one: dict[str, Any], other: dict[str, Any]
) -> None:
    with suppress(Undone):
        async with uow.write() as tx:
            tx.db.add(
                AccountRow(id="door", channel="c", account="a", name="客服", created_at=tx.now)
            )
            team = await teams.create(tx, TeamDraft("一组"), by=BOSS)
            kept = await lives(tx, "甲", one, team.id)
            gone = await lives(tx, "乙", other, team.id)
            await tx.db.flush()
            before = await everything(tx)
            result = await merge.merge(tx, kept, gone, by=BOSS)
            await tx.db.flush()
            merged = await everything(tx)
            for table in (
                "identities",
                "conversations",
                "sessions",
                "ratings",
                "tickets",
                "notes",
            ):
                assert len(merged[table]) == len(before[table])
            assert not [row for table in merged.values() for row in table if gone in row]
            await merge.undo(tx, result.id, by=BOSS)
            await tx.db.flush()
            assert await everything(tx) == before
            raise Undone


async def test_duplicates_share_a_phone_or_name_and_place(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        place = await seed.institution(tx, "疾控中心")
        a = await seed.customer(tx, "李医生", institution_id=place)
        b = await seed.customer(tx, "李医生", institution_id=place)
        c = await seed.customer(tx, "小李")
        await seed.customer(tx, "李医生")
        for one in (a, c):
            await profiles.store_secret(tx, KEYS, one, CustomerSecret.PHONE, "13812345678")
        found = await duplicates.of_customer(tx, a)
        assert {(item.customer.id, item.reasons) for item in found} == {
            (b, ("name_and_institution",)),
            (c, ("phone",)),
        }
        groups = await duplicates.groups(tx)
        assert [(group.reason, {one.id for one in group.customers}) for group in groups] == [
            ("phone", {a, c}),
            ("name_and_institution", {a, b}),
        ]


async def test_each_field_stays_as_it_was_chosen_and_comes_back(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept = await person(tx, "甲", "one", phone="13800000001", email="one@cdc.cn")
        gone = await person(tx, "乙", "two", phone="13800000002", email="two@cdc.cn")
        ours, theirs = (
            await tx.db.get_one(CustomerRow, kept),
            await tx.db.get_one(CustomerRow, gone),
        )
        ours.custom, theirs.custom = {"post": "科长", "floor": "1"}, {"post": "主任", "floor": "2"}
        await tx.db.flush()
        before = await everything(tx)
        take = {"name", "email", "custom.post"}
        result = await merge.merge(tx, kept, gone, by=BOSS, take=take)
        assert result.customer.name == "乙"
        assert result.customer.phone_masked == "138****0001"
        file = await profiles.profile(tx, kept)
        assert file.masked[CustomerSecret.EMAIL] == "t***@cdc.cn"
        assert file.custom == {"post": "主任", "floor": "1"}
    async with uow.write() as tx:
        await merge.undo(tx, result.id, by=BOSS)
    async with uow.write() as tx:
        assert await everything(tx) == before
        with pytest.raises(Invalid, match="unknown_field"):
            await merge.merge(tx, kept, gone, by=BOSS, take={"salary"})


async def test_the_chosen_name_stays_even_if_the_other_has_registered(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept = await person(tx, "访客1", "one")
        gone = await person(tx, "李医生", "two", phone="13812345678")
        assert (await merge.belongings(tx, gone)).tickets == 1
        result = await merge.merge(tx, kept, gone, by=BOSS, take=())
        assert (result.customer.name, result.customer.is_temporary) == ("访客1", False)
        assert result.customer.phone_masked == "138****5678"
        moved = await merge.belongings(tx, kept)
        assert (moved.identities, moved.tickets, moved.sessions) == (2, 2, 0)

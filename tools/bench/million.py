# ruff: noqa: S608 - the statements are ours
"""A stage of 1,000,000 tickets, customers and conversations of one year."""

from __future__ import annotations

from sqlalchemy import text

from core.db import Tx

MANY = 1_000_000
_SERIES = {
    "sqlite": f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY})",
    "postgresql": f"WITH s(n) AS (SELECT generate_series(1, {MANY}))",
}
_PAST = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || n || ' seconds')",
    "postgresql": "now() - n * interval '1 second'",
}
_ID = {"sqlite": "printf('%020d', {})", "postgresql": "lpad(({})::text, 20, '0')"}
#: A ticket every half minute: a million in a year. Their ids begin with their moments.
_OPENED = {
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (({MANY} - n) * 30) || ' seconds')",
    "postgresql": f"now() - ({MANY} - n) * interval '30 seconds'",
}
_NOW_MS = {
    "sqlite": "CAST(strftime('%s', 'now') AS integer) * 1000",
    "postgresql": "CAST(extract(epoch from now()) AS bigint) * 1000",
}

PLACES = 50_000
#: Forty surnames, and given names of two characters out of sixty: 144,000 names.
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英建国文华辉力永"
    "健世广志义兴良海山仁波宁贵福生龙元全胜学祥才发武新利清飞彬富顺"
)
_NAME = (
    f"substr('{_SURNAMES}', n % 40 + 1, 1) || substr('{_GIVEN}', n / 40 % 60 + 1, 1)"
    f" || substr('{_GIVEN}', n / 2400 % 60 + 1, 1)"
)
_PLACE = (
    f"substr('{_GIVEN}', n % 60 + 1, 1) || substr('{_GIVEN}', n / 60 % 60 + 1, 1)"
    " || CASE WHEN n % 7 = 0 THEN '县疾病预防控制中心' ELSE '县人民医院' END"
)


async def fill(tx: Tx) -> None:
    """A million tickets and customers; one ticket in ten is open, one customer in twenty a VIP."""
    series, past, key = _SERIES[tx.dialect], _PAST[tx.dialect], key_of(tx, "n")
    few = "SELECT n, CAST(n AS text) AS k FROM s WHERE n <="
    opened, ticket = _OPENED[tx.dialect], _ticket_key(tx)
    for statement in (
        f"INSERT INTO users (id, username, name, password_hash, role, is_disabled, failed_logins,"
        f" password_changed_at, created_at, version) {series} SELECT k, k, k, '', 'servicer',"
        f" false, 0, {past}, {past}, 1 FROM ({few} 100) x",
        f"INSERT INTO servicers (id, user_id, name, presence, capacity, open_sessions,"
        f" stays, version) {series} SELECT k, k, k, 'online', 5, 0, false, 1 FROM ({few} 100) x",
        f"INSERT INTO teams (id, name, about, strategy, is_active, created_at, version) {series}"
        f" SELECT k, k, '', 'least_busy', true, {past}, 1 FROM ({few} 10) x",
        f"INSERT INTO institutions (id, name, kind, region_code, product, product_version,"
        f" contract_level, is_active, created_at, version) {series} SELECT {key}, {_PLACE} || n,"
        f" 'cdc', '', '', '', CASE WHEN n % 9 = 0 THEN 'VIP' ELSE '' END, true, {past}, 1 FROM s"
        f" WHERE n <= {PLACES}",
        f"INSERT INTO institution_keys (institution_id, path, normal, initials, pinyin) {series}"
        f" SELECT {key}, {key} || '/', {_PLACE} || n, 'ylxjbyfkzzx' || n,"
        f" 'yunlingxianjibingyufangkongzhizhongxin' || n FROM s WHERE n <= {PLACES}",
        f"INSERT INTO customers (id, name, avatar_url, is_temporary, institution_id,"
        f" phone_sealed, phone_index, phone_masked, note, tags, custom, created_at, version)"
        f" {series} SELECT {key}, {_NAME}, '', n % 3 = 0, {key_of(tx, f'n % {PLACES} + 1')}, '',"
        f" 'i' || n, '', '', CASE WHEN n % 20 = 0 THEN '[\"vip\"]' ELSE '[]' END{_json(tx)},"
        f" CASE WHEN n % 10 = 0 THEN '{{\"grade\": \"A\"}}' ELSE '{{}}' END{_json(tx)}, {past},"
        " 1 FROM s",
        *(
            f"INSERT INTO customer_words (word, customer_id) SELECT substr(name, {start}, {size}),"
            " id FROM customers"
            for start, size in ((1, 1), (1, 2), (2, 2))
        ),
        f"INSERT INTO ticket_categories (id, name, position, is_active, default_priority,"
        f" skills, fields, templates, version) {series} SELECT k, k, 1, true, 'normal', '{{}}',"
        f" '[]', '[]', 1 FROM ({few} 40) x",
        f"INSERT INTO tickets (id, number, title, description, state, priority, source,"
        f" category_id, customer_id, institution_id, team_id, servicer_id, assigned_because,"
        f" fields, tags, created_at, created_by, updated_at, due_at, is_breached,"
        f" escalation_level, nudges, reopens, version) {series} SELECT {ticket}, 'GD' || n,"
        f" '系统上报失败 ' || n, '', CASE WHEN n % 20 = 0 THEN 'open' WHEN n % 20 = 10 THEN 'new'"
        f" ELSE 'closed' END, CASE WHEN n % 53 = 0 THEN 'urgent' ELSE 'normal' END, 'console',"
        f" CAST(n % 39 + 1 AS text), {key}, {key_of(tx, f'n % {PLACES} + 1')},"
        f" CAST(n % 11 % 10 + 1 AS text), CASE WHEN n % 71 <> 0 THEN CAST(n % 97 + 1 AS text) END,"
        f" '', '{{}}', CASE WHEN n % 31 = 0 THEN '[\"上门\"]' ELSE '[]' END{_json(tx)}, {opened},"
        f" 'x', {opened}, CASE WHEN n % 10 = 0 THEN {past} END, n % 40 = 0, 0, 0, 0, 1 FROM s",
        f"INSERT INTO timers (id, kind, key, due_at, payload, attempts) {series} SELECT {key},"
        f" 'ticket.sla', {key}, {past}, '{{}}', 0 FROM s WHERE n <= 100000",
        *(
            f"INSERT INTO ticket_words (word, ticket_id) SELECT '{word}', id FROM tickets"
            for word in ("系统", "统上", "上报", "报失", "失败")
        ),
        "INSERT INTO ticket_words (word, ticket_id) SELECT substr(number, 3), id FROM tickets",
        "INSERT INTO ticket_words (word, ticket_id) SELECT '#上门', id FROM tickets WHERE"
        " CAST(tags AS text) <> '[]'",
        "INSERT INTO channel_accounts (id, channel, account, name, mode, is_active, is_manageable,"
        f" limits, created_at, version) {series} SELECT k, 'x', k, k, 'console', true, true,"
        f" '{{}}'{_json(tx)}, {past}, 1 FROM ({few} 1) x",
        'INSERT INTO identities (id, customer_id, channel, account, "user", created_at)'
        " SELECT id, id, 'x', '1', id, created_at FROM customers",
        "INSERT INTO conversations (id, address_key, account_id, identity_id, customer_id,"
        " last_customer_at, last_message_at, last_customer_text, is_muted, pending_lines, form,"
        " scene, scene_param, created_at) SELECT customer_id, customer_id, '1', customer_id,"
        f" customer_id, created_at, created_at, '', false, '[]'{_json(tx)}, '{{}}'{_json(tx)},"
        " '', '', created_at FROM tickets",
        f"INSERT INTO sessions (id, conversation_id, account_id, customer_id, state, mode, route,"
        f" lost_by, opened_at, told_times, close_reason, bot_misses, topic, handoff_reason,"
        f" assigned_because, scene, summary, tags, version) {series} SELECT {key}, {key}, '1',"
        f" {key}, 'closed', 'console', '', '[]'{_json(tx)}, {opened}, 0, '', 0, '', '', '', '',"
        f" '', '[]'{_json(tx)}, 1 FROM s WHERE n % 3 = 0",
        "INSERT INTO ratings (id, session_id, customer_id, score, reasons, comment, requested_at)"
        f" SELECT id, id, customer_id, 4, '[]'{_json(tx)}, '', opened_at FROM sessions",
        "ANALYZE",
    ):
        await tx.db.execute(text(statement.replace(":", "\\:")))


def key_of(tx: Tx, number: str) -> str:
    """An id made of a number, in SQL."""
    return _ID[tx.dialect].format(number)


def _ticket_key(tx: Tx) -> str:
    """What `id_at` writes of a ticket's moment, and its number instead of chance."""
    ms = f"({_NOW_MS[tx.dialect]} - ({MANY} - CAST(n AS bigint)) * 30000)"
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    places = (
        f"substr('{digits}', CAST({ms} / {36**k} % 36 AS int) + 1, 1)" for k in range(8, -1, -1)
    )
    return f"{' || '.join(places)} || substr({key_of(tx, 'n')}, 10)"


def _json(tx: Tx) -> str:
    return "::jsonb" if tx.dialect == "postgresql" else ""

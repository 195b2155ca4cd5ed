"""What nobody may read in a log: words of customers, tokens, secrets, whole external ids."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.config import LogSettings
from bot.logs import JsonLines, TextLines, set_up
from channels.wecom.sandbox import demo_seed as seed
from core.ports import KeyValue
from tests.bot.installations import KEY, PASSWORD, SECRETS, installation, product
from tests.flows.company import CDC, Desk
from tests.waiting import eventually

CUSTOMER = f"wmDemoCustomer{1:016d}"
SAID = ("打印机冒烟了怎么办", "我的电话是13800138000", "好的，马上处理您的打印机")


async def access_token(cache: KeyValue) -> str:
    """The one that the sandbox gave: it is in the cache under a name we need not know."""
    values = vars(cache)["_values"]
    kept = [text for key, (text, _) in values.items() if key.startswith("wecom.token:")]
    return str(json.loads(kept[0])["token"])


async def test_a_conversation_with_trouble_leaves_no_secret_in_the_logs(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        installation(database_url, tmp_path) as (settings, sandbox),
        product(settings) as (app, base),
        ClientSession() as http,
    ):
        await sandbox.set_callback(seed.AGENT_ID, url=f"{base}/callback/wecom/kf")
        phone, desk = sandbox.customer(CUSTOMER, CDC), Desk(http, base, "chenjing")
        await desk.logs_in(PASSWORD)
        await desk.is_online()
        first = await access_token(app.ports.key_value)
        await sandbox.expire_tokens()
        await phone.enters("website")
        await phone.says(SAID[0])
        await phone.hears("转人工")
        await phone.says("转人工")
        session = await desk.gets_session()
        await phone.says(SAID[1])
        await desk.reads(session, SAID[1])
        await sandbox.fault("errcode", api="kf/send_msg", errcode=95002, times=1)
        await desk.says(session, SAID[2])
        await eventually(lambda: _logged(caplog, "wecom.refused"))
        # Strangers at the doors: a forged callback, a wrong password, a broken token.
        forged = f"{base}/callback/wecom/kf?msg_signature=x&timestamp=1&nonce=1&echostr=x"
        assert (await http.get(forged)).status == 403
        login = {"username": "chenjing", "password": "Wrong-horse-8"}
        assert (await http.post(f"{base}/api/v1/auth/login", json=login)).status == 401
        await desk.post("/doctor", status=405)
        second = await access_token(app.ports.key_value)

    actions = {vars(record).get("action") for record in caplog.records}
    assert {"wecom.token_renewed", "wecom.refused", "wecom.callback_refused"} <= actions
    forbidden = [
        *SECRETS, KEY, PASSWORD, "Wrong-horse-8", first, second, desk.token, *SAID, CUSTOMER,
        "13800138000",
    ]  # fmt: skip
    for form in (JsonLines(), TextLines()):
        lines = "\n".join(
            form.format(one) for one in caplog.records if one.levelno >= logging.INFO
        )
        assert [part for part in forbidden if part in lines] == []


async def _logged(caplog: pytest.LogCaptureFixture, action: str) -> bool:
    return any(vars(record).get("action") == action for record in caplog.records)


def test_json_lines_are_json_with_facts_and_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        set_up(LogSettings(is_json=True))
        log = logging.getLogger("wenqu.test")
        log.info("A thing\nhappened.", extra={"action": "thing.happened", "session_id": "s1"})
        try:
            int("broken")
        except ValueError:
            log.exception("It failed.", extra={"action": "thing.failed"})
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["level"], first["action"], first["session_id"]) == (
        "INFO", "thing.happened", "s1",
    )  # fmt: skip
    assert first["at"].endswith("+00:00")
    assert "ValueError: invalid literal" in second["exception"]

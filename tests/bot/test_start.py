"""Starting: addresses that can be read, a taken port that is explained, a quick second start."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.cli import cli
from tests.bot.processes import wenqu

#: Half of it is the budget of a machine at rest; a start from nothing costs more than all.
SECOND_START_S = 10.0


async def test_the_demo_shows_whole_addresses_and_starts_quickly_again(tmp_path: Path) -> None:
    async with wenqu("demo", folder=tmp_path) as demo:  # 40 columns wide
        await demo.says("Ctrl-C")
        for path in ("/", "/phone/", "/api/v1/openapi.json"):
            assert f"{demo.base}{path} " in demo.said
        assert "…" not in demo.said
    started = time.monotonic()
    async with wenqu("demo", folder=tmp_path) as demo:
        await demo.says("Ctrl-C")
        busy_s = _processor_seconds(demo.process.pid)
    # Others may keep the machine busy; what the start itself costs is the process's own time.
    assert min(busy_s, time.monotonic() - started) < SECOND_START_S


@pytest.mark.parametrize("command", ["demo", "run"])
async def test_a_taken_port_is_explained_and_nothing_is_touched(
    command: str, tmp_path: Path
) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, wenqu(command, folder=tmp_path, port=port) as process:
        assert await process.process.wait() == 3
        assert f"端口 {port} 已被占用" in process.said
        assert f"WENQU_HTTP__PORT={port + 1}" in process.said
        assert "Traceback" not in process.said
    assert not (tmp_path / "data").exists()


def test_a_weak_password_from_a_script_is_taken_and_remarked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENQU_DATA_DIR", str(tmp_path))
    command = ["user", "create", "lijun", "--role", "servicer", "--password-stdin"]
    made = CliRunner().invoke(cli, command, input="lijun-1\n")
    assert made.exit_code == 0, made.output
    assert "lijun 的密码不符合要求：至少 8 个字符，请登录后尽快修改。" in made.output
    assert "已创建用户 lijun" in made.output


def test_a_weak_or_empty_password_of_a_new_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENQU_DATA_DIR", str(tmp_path))
    command = ["user", "create", "lijun", "--role", "servicer"]
    typed = CliRunner().invoke(cli, command, input="lijun-lijun-1\nlijun-lijun-1\n")
    assert typed.exit_code == 1
    assert "没有创建：密码不符合要求：不能包含用户名" in typed.output
    piped = CliRunner().invoke(cli, [*command, "--password-stdin"], input="\n")
    assert piped.exit_code == 1
    assert "没有创建：密码不符合要求：至少 8 个字符" in piped.output
    assert "weak_password" not in typed.output + piped.output


async def test_the_configured_administrator_comes_beside_other_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENQU_DATA_DIR", str(tmp_path / "data"))
    command = ["user", "create", "lijun", "--role", "servicer", "--password-stdin"]
    made = await asyncio.to_thread(CliRunner().invoke, cli, command, input="Li-Jun-2026\n")
    assert made.exit_code == 0, made.output
    weak = {"WENQU_ADMIN_PASSWORD": "admin", "WENQU_SECRET_KEY": "short"}
    async with wenqu("run", folder=tmp_path, extra=weak) as product:
        await product.listens()
        assert "admin 的密码不符合要求：至少 8 个字符，请登录后尽快修改" in product.said
        assert "WENQU_SECRET_KEY 少于 16 个字符" in product.said
        person = {"username": "admin", "password": "admin"}
        async with (
            aiohttp.ClientSession(product.base) as http,
            http.post("/api/v1/auth/login", json=person) as answer,
        ):
            assert answer.status == 200


async def test_a_wrong_callback_key_is_explained(tmp_path: Path) -> None:
    settings = {"CORP_ID": "ww1", "APP__AGENT_ID": "1", "APP__SECRET": "s", "APP__TOKEN": "t"}
    extra = {f"WENQU_WECOM__{name}": value for name, value in settings.items()}
    extra["WENQU_WECOM__APP__AES_KEY"] = "short"
    async with wenqu("run", folder=tmp_path, extra=extra) as product:
        assert await product.process.wait() == 2
        assert "EncodingAESKey 应为 43 位" in product.said
        assert "Traceback" not in product.said


def _processor_seconds(pid: int) -> float:
    import os

    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

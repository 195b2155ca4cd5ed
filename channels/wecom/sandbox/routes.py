"""`/cgi-bin`: which path is answered by what."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from channels.wecom.sandbox import (
    accounts,
    app_messages,
    cards,
    directory,
    kf_statistics,
    media,
    messages,
)
from channels.wecom.sandbox.api import Endpoint, Gate, Route, json_answer
from channels.wecom.sandbox.app_messages import AppMessages
from channels.wecom.sandbox.pulls import Pulls
from channels.wecom.sandbox.tokens import Tokens
from channels.wecom.sandbox.world import World

_ROUTES: Final = (
    Route("GET", "getcallbackip", directory.list_ips),
    Route("GET", "get_api_domain_ip", directory.list_ips),
    Route("POST", "kf/account/list", accounts.list_accounts, "kf"),
    Route("POST", "kf/account/add", accounts.add_account, "kf"),
    Route("POST", "kf/account/update", accounts.update_account, "kf"),
    Route("POST", "kf/account/del", accounts.delete_account, "kf"),
    Route("POST", "kf/add_contact_way", accounts.add_contact_way, "kf"),
    Route("GET", "kf/servicer/list", accounts.list_servicers, "kf"),
    Route("POST", "kf/servicer/add", accounts.add_servicers, "kf"),
    Route("POST", "kf/servicer/del", accounts.delete_servicers, "kf"),
    Route("POST", "kf/service_state/get", accounts.get_state, "kf"),
    Route("POST", "kf/service_state/trans", accounts.change_state, "kf"),
    Route("POST", "kf/customer/batchget", accounts.batch_get_customers, "kf"),
    Route("POST", "kf/send_msg", messages.send_msg, "kf"),
    Route("POST", "kf/send_msg_on_event", messages.send_msg_on_event, "kf"),
    Route("POST", "kf/recall_msg", messages.recall_msg, "kf"),
    Route("POST", "kf/get_corp_statistic", kf_statistics.get_corp_statistic, "kf"),
    Route("POST", "kf/get_servicer_statistic", kf_statistics.get_servicer_statistic, "kf"),
    Route("GET", "user/get", directory.get_user),
    Route("GET", "user/simplelist", directory.list_users),
    Route("GET", "department/simplelist", directory.list_departments),
    Route("GET", "auth/getuserinfo", directory.get_user_info, "app"),
    Route("POST", "message/recall", app_messages.recall, "app"),
    Route("POST", "message/update_template_card", cards.update_card, "app"),
    Route("POST", "menu/create", app_messages.create_menu, "app"),
    Route("GET", "menu/get", app_messages.get_menu, "app"),
    Route("GET", "menu/delete", app_messages.delete_menu, "app"),
)


def make_platform_app(world: World, tokens: Tokens) -> web.Application:
    """The API, to be mounted at `/cgi-bin`."""
    gate = Gate(world, tokens)
    stateful = (
        Route("POST", "kf/sync_msg", Pulls().sync_msg, "kf"),
        Route("POST", "message/send", AppMessages().send, "app"),
    )
    app = web.Application()
    for route in _ROUTES + stateful:
        app.router.add_route(route.method, f"/{route.path}", gate.json(route))
    app.router.add_get("/gettoken", gate.wrap("gettoken", _gettoken(tokens)))
    app.router.add_post("/media/upload", gate.wrap("media/upload", _upload(world, gate)))
    app.router.add_get("/media/get", gate.wrap("media/get", _download(world, gate)))
    return app


def _gettoken(tokens: Tokens) -> Endpoint:
    async def run(request: web.Request) -> web.Response:
        return json_answer({"errcode": 0, "errmsg": "ok", **tokens.issue(request.query)})

    return run


def _upload(world: World, gate: Gate) -> Endpoint:
    async def run(request: web.Request) -> web.Response:
        gate.authorise(request.query, "")
        upload = await media.read_upload(request)
        answer = media.upload_by_api(world, request.query.get("type", ""), upload)
        return json_answer({"errcode": 0, "errmsg": "ok", **answer})

    return run


def _download(world: World, gate: Gate) -> Endpoint:
    async def run(request: web.Request) -> web.Response:
        gate.authorise(request.query, "")
        return media.download(world, request.query.get("media_id", ""))

    return run

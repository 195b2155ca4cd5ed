"""Accounts of 微信客服: their list, links and servicers.

Source: developer.work.weixin.qq.com/document/path/94661, 94665 and 94645 to 94647.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from channels.base import AccountInfo, ServicerInfo
from channels.errors import Rejected
from channels.wecom.client import WeComClient
from channels.wecom.fields import Fields

_PAGE = 100
_SCENE = re.compile(r"[0-9a-zA-Z_-]{0,32}")
_MAX_SCENE_PARAM_BYTES = 128


@dataclass(frozen=True, slots=True)
class ServicerResult:
    """What became of one person in a change of servicers. errcode 0: done, or so already."""

    servicer_ref: str
    errcode: int
    reason: str


class Accounts:
    """What an application may manage."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def read(self) -> Sequence[AccountInfo]:
        """All accounts, page by page. Raises ChannelError."""
        found: list[AccountInfo] = []
        while True:
            body = {"offset": len(found), "limit": _PAGE}
            answer = Fields(await self._client.post("kf/account/list", body))
            rows = answer.objects("account_list")
            found += [_account(row) for row in rows]
            if len(rows) < _PAGE:
                return found

    async def link(self, account: str, scene: str = "", scene_param: str = "") -> str:
        """The address that opens a chat; both come back in SessionEntered.

        Raises: Rejected when they are too long; `scene_param` needs a `scene`.
        """
        if not _SCENE.fullmatch(scene):
            raise Rejected("a scene has at most 32 of [0-9a-zA-Z_-]")
        if len(scene_param.encode()) > _MAX_SCENE_PARAM_BYTES or (scene_param and not scene):
            raise Rejected("a scene_param has at most 128 bytes and needs a scene")
        body = {"open_kfid": account, "scene": scene} if scene else {"open_kfid": account}
        url = Fields(await self._client.post("kf/add_contact_way", body)).text("url")
        return f"{url}&scene_param={quote(scene_param, safe='')}" if scene_param else url

    async def servicers(self, account: str) -> Sequence[ServicerInfo]:
        """The people of an account, those of its departments among them."""
        answer = Fields(await self._client.get("kf/servicer/list", {"open_kfid": account}))
        rows = answer.objects("servicer_list")
        found = {row.text("userid"): _servicer(row) for row in rows if row.text("userid")}
        for row in rows:
            for member in await self._members(row.text("department_id")):
                found.setdefault(member.servicer_ref, member)
        return list(found.values())

    async def add_servicers(self, account: str, people: Sequence[str]) -> list[ServicerResult]:
        """At most 100 at a time; every row has its own result."""
        return await self._change("kf/servicer/add", account, people)

    async def remove_servicers(self, account: str, people: Sequence[str]) -> list[ServicerResult]:
        return await self._change("kf/servicer/del", account, people)

    async def _change(
        self, path: str, account: str, people: Sequence[str]
    ) -> list[ServicerResult]:
        body = {"open_kfid": account, "userid_list": list(people)}
        rows = Fields(await self._client.post(path, body)).objects("result_list")
        return [
            ServicerResult(row.text("userid"), row.integer("errcode"), row.text("errmsg"))
            for row in rows
        ]

    async def _members(self, department: str) -> Sequence[ServicerInfo]:
        """The people of a department and of those below it, as far as the app may see them."""
        if not department:
            return ()
        tree = Fields(await self._client.get("department/simplelist", {"id": department}))
        below = {row.text("id") for row in tree.objects("department_id")}
        found: list[ServicerInfo] = []
        for one in sorted({department, *below}):
            answer = await self._client.get("user/simplelist", {"department_id": one})
            rows = Fields(answer).objects("userlist")
            found += [ServicerInfo(row.text("userid"), row.text("name")) for row in rows]
        return found


def _account(row: Fields) -> AccountInfo:
    return AccountInfo(
        account=row.text("open_kfid"),
        name=row.text("name"),
        is_manageable=row.raw.get("manage_privilege") is not False,
        avatar_url=row.text("avatar"),
    )


def _servicer(row: Fields) -> ServicerInfo:
    """In this list 0 is in service; in the event of a change 1 is."""
    return ServicerInfo(row.text("userid"), is_accepting=row.integer("status") == 0)

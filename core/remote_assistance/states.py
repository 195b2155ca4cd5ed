"""What a request for remote assistance goes through, and the tools that it may name."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RemoteState(StrEnum):
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    EXPIRED = "expired"
    RUNNING = "running"
    ENDED = "ended"


class RemoteTool(StrEnum):
    VPN = "vpn"
    SUNLOGIN = "sunlogin"
    TODESK = "todesk"
    RUSTDESK = "rustdesk"
    TENCENT_MEETING = "tencent_meeting"
    RDP = "rdp"
    OTHER = "other"


#: Somebody still waits for something.
OPEN: Final = frozenset({RemoteState.ASKED, RemoteState.AGREED, RemoteState.RUNNING})
#: The customer allowed it and it has not ended.
USABLE: Final = frozenset({RemoteState.AGREED, RemoteState.RUNNING})
#: As the customer reads it.
TOOL_NAMES: Final[Mapping[RemoteTool, str]] = {
    RemoteTool.VPN: "VPN",
    RemoteTool.SUNLOGIN: "向日葵",
    RemoteTool.TODESK: "ToDesk",
    RemoteTool.RUSTDESK: "RustDesk",
    RemoteTool.TENCENT_MEETING: "腾讯会议",
    RemoteTool.RDP: "远程桌面",
    RemoteTool.OTHER: "其他",
}

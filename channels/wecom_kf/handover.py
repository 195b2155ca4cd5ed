"""The platform's own session state (service_state) and the words that go with a change.

Source: developer.work.weixin.qq.com/document/path/94669 and 95122. Its transition diagram is an
image; what the text does not promise is tried, and error 95016 means: read the state again.
"""

from __future__ import annotations

import logging

from channels.capabilities import Capabilities
from channels.errors import ChannelError, RetryLater
from channels.wecom.client import WeComClient
from channels.wecom_kf.compose import WITH_CODE, WITH_TEXT_CODE
from channels.wecom_kf.sender import Sender
from core.content import Address, Content
from core.ports import HandoverCommand, KeyValue, NativeState, Receipt

log = logging.getLogger(__name__)

_STATES: dict[NativeState, int] = {"assistant": 1, "queued": 2, "servicer": 3, "ended": 4}
_ENDED = 4
_CODE_LIFE_S: dict[NativeState, float] = {"queued": 48 * 3600, "servicer": 48 * 3600, "ended": 20}
_CODE_TYPES: dict[NativeState, Capabilities] = {"ended": WITH_CODE}
_ALREADY = {"95016", "95013"}  # transition not allowed, session ended: perhaps we are there


class Handover:
    """Carries out changes of the session state. Repeating a command is harmless."""

    def __init__(self, client: WeComClient, sender: Sender, cache: KeyValue) -> None:
        self._client = client
        self._sender = sender
        self._cache = cache

    async def state(self, address: Address) -> tuple[int, str]:
        """(service_state 0–4, servicer's userid in state 3)."""
        answer = await self._client.post("kf/service_state/get", _who(address))
        servicer = answer.get("servicer_userid") or answer.get("service_userid") or ""
        return int(str(answer.get("service_state", _ENDED))), str(servicer)

    async def execute(self, command: HandoverCommand) -> Receipt:
        """Change the state, then say the farewell. Raises ChannelError when the state stays."""
        key = f"wecom_kf.code:{command.command_id}"
        code = await self._change(command)
        if code:  # kept, because the code is lost when we fall between the two calls
            await self._cache.set(key, code, ttl_s=_CODE_LIFE_S.get(command.to, 20))
        code = code or await self._cache.get(key)
        facts: dict[str, str] = {"state": command.to}
        if command.farewell is not None:
            facts |= await self._say_farewell(command, command.farewell, code)
        return Receipt(facts=facts)

    async def _change(self, command: HandoverCommand) -> str | None:
        body: dict[str, object] = {
            **_who(command.address),
            "service_state": _STATES[command.to],
        }
        if command.servicer_ref and command.to == "servicer":
            body["servicer_userid"] = command.servicer_ref
        try:
            answer = await self._client.post("kf/service_state/trans", body)
        except ChannelError as error:
            if error.vendor_code in _ALREADY and await self._is_there(command):
                return None
            raise
        code = answer.get("msg_code")
        return code if isinstance(code, str) and code else None

    async def _is_there(self, command: HandoverCommand) -> bool:
        state, servicer = await self.state(command.address)
        if state != _STATES[command.to]:
            log.info(
                "A session is in state %d and cannot become %s", state, command.to,
                extra={"action": "wecom_kf.transition_refused"},
            )  # fmt: skip
            return False
        return command.to != "servicer" or servicer == command.servicer_ref

    async def _say_farewell(
        self, command: HandoverCommand, farewell: Content, code: str | None
    ) -> dict[str, str]:
        """What became of it, as facts. An unreachable platform has the command repeated."""
        address, message_id = command.address, command.command_id
        if code:
            allowed = _CODE_TYPES.get(command.to, WITH_TEXT_CODE)
            try:
                receipt = await self._sender.send_by_code(
                    address, message_id, farewell, code=code, allowed=allowed
                )
            except RetryLater:
                raise
            except ChannelError as error:
                log.info(
                    "A farewell code was refused: %s", error.reason,
                    extra={"action": "wecom_kf.code_refused"},
                )  # fmt: skip
            else:
                return {"farewell": "sent", **receipt.facts}
        if not command.may_say_plainly:
            return {"farewell": "refused"}
        try:
            receipt = await self._sender.send_plainly(address, message_id, farewell)
        except RetryLater:
            raise
        except ChannelError:
            return {"farewell": "refused"}
        return {"farewell": "sent", **receipt.facts}


def _who(address: Address) -> dict[str, object]:
    return {"open_kfid": address.account, "external_userid": address.user}

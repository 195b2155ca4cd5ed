"""The state in which a sandbox company opens."""

from __future__ import annotations

from channels.wecom.sandbox.seed import SandboxSeed
from channels.wecom.sandbox.state import (
    AppState,
    Customer,
    KfAccount,
    Link,
    Log,
    Member,
    State,
)


def opening_state(seed: SandboxSeed, at: float) -> State:
    """`at`: numbers begin there, so that two sandboxes one after the other give different ones."""
    number_of_now = int(at * 1000)
    state = State(next_number=number_of_now)
    for app in seed.apps:
        state.apps[app.agent_id] = AppState(
            app.agent_id, app.callback.url, app.callback.token, app.callback.aes_key
        )
    for member in seed.members:
        state.members[member.userid] = Member(
            userid=member.userid,
            name=member.name,
            position=member.position,
            departments=list(member.departments),
            is_active=member.is_active,
            is_visible=member.is_visible,
        )
    for customer in seed.customers:
        state.customers[customer.external_userid] = Customer(
            external_userid=customer.external_userid,
            name=customer.name,
            organisation=customer.organisation,
            gender=customer.gender,
            unionid=customer.unionid,
        )
    for number, account in enumerate(seed.accounts, start=1):
        state.accounts[account.open_kfid] = KfAccount(
            open_kfid=account.open_kfid,
            name=account.name,
            avatar=f"{seed.image_base}/{account.open_kfid}.svg",
            is_managed=account.is_managed,
            servicers=dict.fromkeys(account.servicers, "accepting"),
            log=Log(next_position=number_of_now),
        )
        add_link(state, seed.link_base, account.open_kfid, account.scene, f"ENCdemo{number:04d}")
    return state


def add_link(state: State, link_base: str, open_kfid: str, scene: str, enc_scene: str) -> Link:
    """A way in to an account. The same account and scene keep their link."""
    for link in state.links.values():
        if link.open_kfid == open_kfid and link.scene == scene:
            return link
    url = f"{link_base}/kf/kfc{open_kfid[-16:]}?enc_scene={enc_scene}"
    link = Link(open_kfid, scene, url)
    state.links[enc_scene] = link
    return link

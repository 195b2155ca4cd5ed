"""What a sandbox company consists of when it opens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallbackSeed:
    """Where callbacks of an app go, and with what they are sealed."""

    url: str | None
    token: str
    aes_key: str


@dataclass(frozen=True, slots=True)
class AppSeed:
    """A self-built app. grants: "app" (messages to members), "kf" (微信客服)."""

    agent_id: int
    name: str
    secret: str
    callback: CallbackSeed
    grants: frozenset[str] = frozenset({"app", "kf"})


@dataclass(frozen=True, slots=True)
class MemberSeed:
    """A person of the company. Outside the visible range the app neither sees nor reaches them."""

    userid: str
    name: str
    position: str = "客服"
    departments: tuple[int, ...] = (1,)
    is_active: bool = True
    is_visible: bool = True


@dataclass(frozen=True, slots=True)
class DepartmentSeed:
    department_id: int
    name: str
    parent_id: int = 0


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """A 微信客服 account. scene: name of the demo link that is made for it."""

    open_kfid: str
    name: str
    servicers: tuple[str, ...] = ()
    is_managed: bool = True
    scene: str = "website"


@dataclass(frozen=True, slots=True)
class CustomerSeed:
    """Somebody in WeChat. gender: 0 unknown, 1 male, 2 female."""

    external_userid: str
    name: str
    organisation: str = ""
    gender: int = 0
    unionid: str = ""


@dataclass(frozen=True, slots=True)
class SandboxSeed:
    """A company.

    link_base: what the links of `kf/add_contact_way` begin with. image_base: the same for the
    avatars that the API names; a page that shows them in a demo wants `…/phone/api/avatars`.
    """

    corp_id: str
    corp_name: str
    apps: tuple[AppSeed, ...]
    members: tuple[MemberSeed, ...]
    accounts: tuple[AccountSeed, ...]
    customers: tuple[CustomerSeed, ...]
    departments: tuple[DepartmentSeed, ...] = (DepartmentSeed(1, "公司"),)
    contact_secret: str = ""
    link_base: str = "https://work.weixin.qq.com"
    image_base: str = "https://wework.qpic.cn/sandbox"

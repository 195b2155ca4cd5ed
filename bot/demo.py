"""The demo company: data, people and a sandbox of WeCom, in one process and offline."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from importlib import resources
from typing import Final

from rich.console import Console

from bot.app import App, build, listening
from bot.config import Settings
from bot.demo_past import load_past
from bot.demo_service import load_service_desk
from bot.demo_tickets import load_tickets
from bot.migrate import migrate
from bot.people import Person, create_person
from bot.ports import check_port
from channels.oa.config import OaSettings
from channels.oa.fake import PATH as OA_PATH
from channels.oa.fake import demo_oa
from channels.sms.config import SmsSettings
from channels.wecom.config import AppSettings, WeComSettings
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.app import mount_sandbox
from core.actor import Actor
from core.content import Address
from core.customers.introduce import Introduction, introduce
from core.db import Tx, UnitOfWork
from core.replies.service import ReplyDraft
from core.replies.service import create as create_reply
from core.servicers.queries import list_servicers
from core.users.queries import count_users
from core.views import Role
from knowledge.importer import import_records
from knowledge.tables import read_records

log = logging.getLogger(__name__)

PASSWORD: Final = "Wenqu-demo-2026"  # noqa: S105 - a public demo value, printed at start
_PEOPLE: Final = (
    ("admin", "系统管理员", Role.ADMIN, None),
    ("wufang", "吴芳", Role.SUPERVISOR, "wufang"),
    ("chenjing", "陈静", Role.SERVICER, "chenjing"),
    ("lijun", "李军", Role.SERVICER, "lijun"),
    ("zhaomin", "赵敏", Role.SERVICER, "zhaomin"),
    ("sunhao", "孙浩", Role.SERVICER, "sunhao"),
    ("zhoulan", "周岚", Role.SERVICER, "zhoulan"),
)
#: Leads the team of everyone who is in WeCom; whoever looks after the system is not in it.
_LEADER: Final = "wufang"
_REPLIES: Final = (
    ("您好", "nh", "您好，我是{客服姓名}，很高兴为您服务，请问遇到了什么问题？"),
    ("请稍等", "sd", "好的，我马上帮您查看，请稍等。"),
    ("要截图", "jt", "麻烦您把出错的页面截图发给我，要包含完整的提示文字。"),
    ("远程协助", "yc", "这个问题需要远程查看，请您打开远程工具，把识别码发给我。"),
    ("还有问题吗", "hyw", "请问还有其他可以帮您的吗？"),
    ("结束语", "js", "感谢您的咨询，祝您工作顺利，再见！"),
)


_PAGES: Final = (
    ("/", "控制台：客服工作台与管理"),
    ("/phone/", "沙箱手机：扮演客户，以及企业微信里的客服"),
    ("/api/v1/openapi.json", "接口"),
)


def demo_settings(settings: Settings) -> Settings:
    """The settings of a demo: the sandbox in place of WeCom, everything on this machine."""
    base = f"http://{settings.http.host}:{settings.http.port}"
    wecom = WeComSettings(
        api_base=base,
        corp_id=seed.CORP_ID,
        app=AppSettings.model_validate(
            {
                "agent_id": seed.AGENT_ID,
                "secret": seed.APP_SECRET,
                "token": seed.CALLBACK_TOKEN,
                "aes_key": seed.CALLBACK_AES_KEY,
            }
        ),
        can_recall=True,
    )
    oa = OaSettings(url=f"{base}{OA_PATH}")
    sms = SmsSettings(kind="console")
    return settings.model_copy(update={"wecom": wecom, "sms": sms, "oa": oa})


async def run(settings: Settings) -> None:
    """Start the demo company and stay until told to stop."""
    settings = demo_settings(settings)
    check_port(settings.http)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await migrate(settings.database)
    async with build(settings, is_demo=True) as app:
        if await load(app.uow):  # before anybody listens: the past is no news
            await load_tickets(settings.database, await load_past(app.uow))
        await app.prepare()
        mount(app)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(listening(app))
            _print_addresses(settings.public_url)
            await app.work()


def mount(app: App) -> None:
    demo_oa().mount(app.api)
    http = app.settings.http
    callback = f"http://{http.host}:{http.port}/callback/wecom/kf"
    public = app.settings.public_url
    company = seed.demo_seed(
        callback, link_base=f"{public}/phone", image_base=f"{public}/phone/api/avatars"
    )
    mount_sandbox(app.api, company, store_path=app.settings.data_dir / "sandbox.db")


async def load(uow: UnitOfWork) -> bool:
    """Put the demo company into an empty database; what people did later is left alone.

    Returns whether it was empty.
    """
    async with uow.read() as tx:
        if await count_users(tx):
            return False
    log.info("Loading the demo company.", extra={"action": "demo.load"})
    system = Actor.system("demo")
    for username, name, role, wecom_userid in _PEOPLE:
        person = Person(username, name, role, PASSWORD, wecom_userid)
        await create_person(uow, person, by=system)
    async with uow.write() as tx:
        await _load_customers(tx)
        staff = {one.wecom_userid: one.id for one in await list_servicers(tx) if one.wecom_userid}
        await load_service_desk(
            tx, leader_id=staff[_LEADER], member_ids=[*staff.values()], by=system
        )
        for title, shortcut, text in _REPLIES:
            draft = ReplyDraft(title=title, text=text, shortcut=shortcut, scope="all")
            await create_reply(tx, draft, by=system)
    data = (resources.files("knowledge") / "data" / "demo_faq.jsonl").read_bytes()
    await import_records(uow, read_records(data, "jsonl"), by=system)
    return True


async def _load_customers(tx: Tx) -> None:
    """The sandbox's customers as people whom we know, each with their institution."""
    company = seed.demo_seed()
    for person in company.customers:
        addresses = [
            Address("wecom_kf", account.open_kfid, person.external_userid)
            for account in company.accounts
        ]
        level = "VIP" if "省" in person.organisation else "标准"
        kind = _kind(person.organisation)
        who = Introduction(person.name, person.organisation, kind, level, addresses)
        await introduce(tx, who)


def _kind(name: str) -> str:
    for word, kind in (("疾控", "疾控中心"), ("卫生院", "基层机构"), ("社区", "基层机构")):
        if word in name:
            return kind
    return "医院"


def _print_addresses(base: str) -> None:
    """One line each and never cut off: addresses are there to be clicked and copied."""
    lines = ["[bold]问渠 Wenqu 演示环境已启动[/bold]", ""]
    for path, purpose in _PAGES:
        lines.append(f"  {base + path:<{len(base) + 22}} {purpose}")
    lines += ["", "[bold]演示帐号[/bold]（密码都是 " + PASSWORD + "）", ""]
    for username, name, role, _ in _PEOPLE[:4]:
        lines.append(f"  {username:<10} {name}（{role}）")
    lines += ["", "按 Ctrl-C 停止。"]
    Console(soft_wrap=True, highlight=False).print("\n".join(lines))

"""The demo company: a vendor of public-health software, its people and some of its customers."""

from __future__ import annotations

from channels.wecom.sandbox.seed import (
    AccountSeed,
    AppSeed,
    CallbackSeed,
    CustomerSeed,
    DepartmentSeed,
    MemberSeed,
    SandboxSeed,
)

CORP_ID = "ww5e0d3a9c71b26f48"
AGENT_ID = 1000002
APP_SECRET = "wenqu-demo-app-secret"  # noqa: S105 - public demo value
CONTACT_SECRET = "wenqu-demo-contact-secret"  # noqa: S105 - public demo value
CALLBACK_TOKEN = "WenquDemoToken2026"  # noqa: S105 - public demo value
CALLBACK_AES_KEY = "WenquDemoEncodingAESKey0123456789abcdefghij"

CDC_ACCOUNT = "wkDemoProductCdc000000000000001"
HOSPITAL_ACCOUNT = "wkDemoProductHospital0000000002"
VIP_ACCOUNT = "wkDemoVipDesk000000000000000003"

_MEMBERS = (
    MemberSeed("chenjing", "陈静", "客服", (2,)),
    MemberSeed("lijun", "李军", "客服", (2,)),
    MemberSeed("zhaomin", "赵敏", "客服", (2,)),
    MemberSeed("sunhao", "孙浩", "实施工程师", (3,)),
    MemberSeed("zhoulan", "周岚", "实施工程师", (3,)),
    MemberSeed("wufang", "吴芳", "客服主管", (2,)),
)

_CUSTOMERS = (
    CustomerSeed("wmDemoCustomer0000000000000001", "王建国", "云岭县疾控中心", 1),
    CustomerSeed("wmDemoCustomer0000000000000002", "刘晓燕", "江城市疾控中心", 2),
    CustomerSeed("wmDemoCustomer0000000000000003", "张伟", "青溪区疾控中心", 1),
    CustomerSeed("wmDemoCustomer0000000000000004", "杨丽华", "江城市第一人民医院", 2),
    CustomerSeed("wmDemoCustomer0000000000000005", "黄志强", "云岭县人民医院", 1),
    CustomerSeed("wmDemoCustomer0000000000000006", "徐梅", "柳溪镇卫生院", 2),
    CustomerSeed("wmDemoCustomer0000000000000007", "马超", "东湖街道社区卫生服务中心", 1),
    CustomerSeed("wmDemoCustomer0000000000000008", "何静怡", "省疾控中心免疫规划所", 2),
)

_ACCOUNTS = (
    AccountSeed(
        CDC_ACCOUNT,
        "疾控产品支持",
        ("chenjing", "lijun", "zhaomin", "wufang"),
        scene="cdc_website",
    ),
    AccountSeed(
        HOSPITAL_ACCOUNT, "医院产品支持", ("sunhao", "zhoulan", "zhaomin"), scene="hospital_his"
    ),
    AccountSeed(VIP_ACCOUNT, "VIP服务台", ("wufang", "chenjing"), scene="vip_card"),
)


def demo_seed(
    callback_url: str | None = None,
    link_base: str = "https://work.weixin.qq.com",
    image_base: str = "https://wework.qpic.cn/sandbox",
) -> SandboxSeed:
    """The company with its one app, whose callbacks go to `callback_url`."""
    callback = CallbackSeed(callback_url, CALLBACK_TOKEN, CALLBACK_AES_KEY)
    return SandboxSeed(
        corp_id=CORP_ID,
        corp_name="问渠软件",
        apps=(AppSeed(AGENT_ID, "问渠客服", APP_SECRET, callback),),
        members=_MEMBERS,
        accounts=_ACCOUNTS,
        customers=_CUSTOMERS,
        departments=(
            DepartmentSeed(1, "问渠软件"),
            DepartmentSeed(2, "客服部", 1),
            DepartmentSeed(3, "实施部", 1),
        ),
        contact_secret=CONTACT_SECRET,
        link_base=link_base,
        image_base=image_base,
    )

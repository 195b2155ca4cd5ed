import pytest

from channels.errors import Rejected
from channels.wecom_kf.adapter import WeComKf
from tests.channels.fake_wecom import FakeWeCom, Json, payload

ACCOUNT = "wkDEMOAAAAkf0000000000000000001"


async def test_accounts_are_read_page_by_page(kf: WeComKf, wecom: FakeWeCom) -> None:
    def page(body: Json) -> Json:
        rows = [{"open_kfid": f"wk{n}", "name": "n"} for n in range(130)]
        return {"errcode": 0, "account_list": rows[body["offset"] :][: body["limit"]]}

    wecom.defaults["kf/account/list"] = page
    assert [info.account for info in await kf.accounts()] == [f"wk{n}" for n in range(130)]
    wecom.defaults["kf/account/list"] = payload("kf_account_list_response.json")
    assert [info.is_manageable for info in await kf.accounts()] == [True, False]


async def test_servicers_have_the_coding_of_the_list_and_departments_are_opened(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.defaults["kf/servicer/list"] = payload("kf_servicer_list_response.json")
    wecom.defaults["department/simplelist"] = {"errcode": 0, "department_id": [{"id": 7}]}
    wecom.will_answer(
        "user/simplelist",
        {"errcode": 0, "userlist": [{"userid": "lisi", "name": "李四"}]},
        {"errcode": 0, "userlist": [{"userid": "wangwu", "name": "王五"}]},
    )
    found = await kf.servicers(ACCOUNT)
    assert [(one.servicer_ref, one.name, one.is_accepting) for one in found] == [
        ("zhangsan", "", True),
        ("lisi", "", False),
        ("wangwu", "王五", True),
    ]
    assert wecom.called("kf/servicer/list")[0].query["open_kfid"] == ACCOUNT
    asked = [call.query["department_id"] for call in wecom.called("user/simplelist")]
    assert asked == ["2", "7"]


async def test_a_link_carries_its_scene_and_parameter(kf: WeComKf, wecom: FakeWeCom) -> None:
    url = payload("kf_add_contact_way_response.json")["url"]
    wecom.defaults["kf/add_contact_way"] = payload("kf_add_contact_way_response.json")
    assert await kf.manage.link(ACCOUNT) == url
    found = await kf.manage.link(ACCOUNT, "web_help", "order=1001&from=机构")
    assert found == f"{url}&scene_param=order%3D1001%26from%3D%E6%9C%BA%E6%9E%84"
    plain, with_scene = wecom.bodies("kf/add_contact_way")
    assert plain == {"open_kfid": ACCOUNT}
    assert with_scene == {"open_kfid": ACCOUNT, "scene": "web_help"}


@pytest.mark.parametrize(
    ("scene", "param"), [("有", ""), ("s" * 33, ""), ("s", "机" * 43), ("", "lost")]
)
async def test_a_link_that_would_lose_its_parameter_is_refused(
    kf: WeComKf, wecom: FakeWeCom, scene: str, param: str
) -> None:
    with pytest.raises(Rejected):
        await kf.manage.link(ACCOUNT, scene, param)
    assert not wecom.calls


async def test_every_changed_servicer_has_a_result(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.defaults["kf/servicer/add"] = payload("kf_servicer_add_response.json")
    wecom.defaults["kf/servicer/del"] = {
        "errcode": 0,
        "result_list": [{"userid": "wangwu", "errcode": 60030, "errmsg": "no right"}],
    }
    added = await kf.manage.add_servicers(ACCOUNT, ["zhangsan", "lisi"])
    assert [row.errcode for row in added] == [0, 0, 0]
    (gone,) = await kf.manage.remove_servicers(ACCOUNT, ["wangwu"])
    assert (gone.servicer_ref, gone.errcode) == ("wangwu", 60030)
    assert wecom.bodies("kf/servicer/add") == [
        {"open_kfid": ACCOUNT, "userid_list": ["zhangsan", "lisi"]}
    ]

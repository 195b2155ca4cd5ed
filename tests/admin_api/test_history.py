from __future__ import annotations

from core.history import index
from tests.admin_api.conftest import Api
from tests.admin_api.desk import Customer


async def test_history_is_searched_by_segmented_words_with_highlights(servicer: Api) -> None:
    uow = servicer.services.uow
    wang, liu = Customer(uow, "wang"), Customer(uow, "liu")
    await wang.says("昨天的数据又上报失败了")
    await liu.says("打印机卡纸")
    await index.follow(uow)
    (line,) = (await servicer.call("GET", "/messages?q=上报失败的数据"))["items"]
    assert line["message"]["session_id"] == wang.session_id
    hits = [line["text"][start:end] for start, end in line["ranges"]]
    assert hits == ["数据", "上报失败"]
    assert line["account_name"] == "疾控"
    soon = "2026-03-02T10:00:00%2B08:00"
    assert (await servicer.call("GET", f"/messages?q=数据&until={soon}"))["items"] == []
    assert (await servicer.call("GET", "/messages?q=%25%25"))["items"] == []
    await servicer.refused("GET", "/messages?q=%20", status=422, code="invalid_fields")
    await servicer.refused("GET", "/messages?q=x&cursor=!", status=400, code="bad_cursor")

"""`wenqu kb` and `wenqu faq`, as typed on a command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from knowledge.cli import Tools, faq_app, kb_app
from tests.knowledge_base.conftest import GramEncoder


@pytest.fixture
def app(sqlite_url: str) -> typer.Typer:
    @asynccontextmanager
    async def tools() -> AsyncIterator[Tools]:
        uow = UnitOfWork(make_engine(sqlite_url), SystemClock())
        models = Path(sqlite_url.removeprefix("sqlite:///")).parent
        yield Tools(uow, GramEncoder(), models)
        await uow.close()

    root = typer.Typer()
    root.add_typer(kb_app(tools), name="kb")
    root.add_typer(faq_app(tools), name="faq")
    return root


def test_import_predict_and_export(app: typer.Typer, tmp_path: Path) -> None:
    source, asked, said = tmp_path / "kb.jsonl", tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(
        '{"id": "k1", "question": "怎么重置密码？", "answer": null, "domain": "x"}\n'
        '{"id": "k2", "question": "怎么打印报告？", "answer": "点打印。"}\n',
        encoding="utf-8",
    )
    run = CliRunner().invoke(app, ["kb", "import", str(source)])
    assert run.exit_code == 0, run.output
    assert "新增 2" in run.output
    again = CliRunner().invoke(app, ["kb", "import", str(source)])
    assert "新增 0，更新 0，未变 2" in again.output

    queries = ["怎么打印报告？", "转人工", "今晚月色真美"]
    asked.write_text(
        "".join(
            json.dumps({"query_id": f"q{n}", "query": query}) + "\n"
            for n, query in enumerate(queries)
        ),
        encoding="utf-8",
    )
    run = CliRunner().invoke(app, ["faq", "predict", "--queries", str(asked), "--out", str(said)])
    assert run.exit_code == 0, run.output
    lines = [json.loads(line) for line in said.read_text(encoding="utf-8").splitlines()]
    assert [line["query_id"] for line in lines] == ["q0", "q1", "q2"]
    assert [line["answer_id"] for line in lines] == ["k2", None, None]
    assert lines[0]["confidence"] > 0.5 > lines[2]["confidence"] >= 0
    assert lines[1]["confidence"] == 0

    target = tmp_path / "back.csv"
    assert CliRunner().invoke(app, ["kb", "export", str(target)]).exit_code == 0
    assert target.read_text(encoding="utf-8-sig").count("\n") == 3


def test_eval_prints_shares_with_their_intervals(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "kb.jsonl").write_text(
        '{"id": "k1", "question": "怎么重置密码？"}\n{"id": "k2", "question": "怎么打印报告？"}\n'
    )
    (tmp_path / "queries.jsonl").write_text(
        '{"query_id": "1", "query": "密码怎么重置", "gold": ["k1"]}\n'
        '{"query_id": "2", "query": "转人工", "gold": []}\n'
    )
    run = CliRunner().invoke(app, ["faq", "eval", str(tmp_path)])
    assert run.exit_code == 0, run.output
    assert "top-1                      1.000  [" in run.output
    assert CliRunner().invoke(app, ["faq", "eval", str(tmp_path.parent)]).exit_code == 2


def test_labels_are_learnt_and_calibrated_on(app: typer.Typer, tmp_path: Path) -> None:
    base, labels = tmp_path / "kb.jsonl", tmp_path / "labels.jsonl"
    topics = ("密码", "账号", "报告", "打印机", "疫苗", "证书")
    base.write_text(
        "".join(
            json.dumps({"id": topic, "question": f"怎么重置{topic}？"}) + "\n" for topic in topics
        )
    )
    lines = [
        {"query": wording.format(topic), "gold": [topic]}
        for topic in topics
        for wording in ("怎么重置{}呢", "{}如何重置", "{}重置", "想重置{}", "重置下{}")
    ]
    lines += [{"query": "食堂在哪里", "gold": []}, {"query": "没有的条目", "gold": ["x"]}]
    labels.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert CliRunner().invoke(app, ["kb", "import", str(base)]).exit_code == 0
    few = CliRunner().invoke(app, ["faq", "calibrate"])
    assert "太少" in few.output
    learnt = CliRunner().invoke(app, ["faq", "learn", str(labels)])
    assert "已记下 31 个问题，共 32 个" in learnt.output, learnt.output
    fitted = CliRunner().invoke(app, ["faq", "calibrate", "--target", "0.9"])
    assert "标注 31 条，目标精度 90.0%" in fitted.output, fitted.output
    assert "已启用" in fitted.output


def test_a_bad_row_is_named_and_the_exit_code_tells(app: typer.Typer, tmp_path: Path) -> None:
    source = tmp_path / "kb.csv"
    source.write_text("id,question\n1,问\n,问\n", encoding="utf-8")
    run = CliRunner().invoke(app, ["kb", "import", str(source)])
    assert run.exit_code == 1
    assert "第 3 行：缺少 id" in run.output
    source.write_text("x,y\n1,2\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["kb", "import", str(source)]).exit_code == 2


def test_the_bundled_model_is_made_faster_by_one_command(
    app: typer.Typer, sqlite_url: str
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    run = CliRunner().invoke(app, ["faq", "optimise"])
    assert run.exit_code == 0, run.output
    made = Path(sqlite_url.removeprefix("sqlite:///")).parent / "e5-small-int8.onnx"
    assert 20e6 < made.stat().st_size < 60e6
    assert "重启服务后使用" in run.output

"""`wenqu kb …` and `wenqu faq …`: sub-commands over a knowledge base that the caller opens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Invalid
from knowledge import evaluation, optimised
from knowledge.answerer import Answerer
from knowledge.calibrations import CalibrationView, refit
from knowledge.embedder import Embedder
from knowledge.encoders import Encoder, EncoderError
from knowledge.exporter import export_articles
from knowledge.importer import ImportReport, import_records
from knowledge.known import import_known
from knowledge.markdown import read_archive, read_folder, write_archive
from knowledge.predictions import predict
from knowledge.queries import every_article
from knowledge.tables import Record, format_of, read_records
from knowledge.vector_store import DatabaseVectors

#: Nobody waits for a single answer on the command line; a slow machine must not cost answers.
_PATIENCE_S = 120.0
_ERRORS_SHOWN = 20
_LEARNT_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Tools:
    """What the commands work with.

    models: the folder for models made on this machine.
    """

    uow: UnitOfWork
    encoder: Encoder
    models: Path | None = None

    def embedder(self) -> Embedder:
        return Embedder(self.encoder, store=DatabaseVectors(self.uow), wait_s=_PATIENCE_S)

    def answerer(self) -> Answerer:
        return Answerer(self.uow, self.embedder())


#: Opens and closes the tools; lent by the composition root.
Open = Callable[[], AbstractAsyncContextManager[Tools]]


def kb_app(open_tools: Open) -> typer.Typer:
    """`wenqu kb import FILE`, `wenqu kb export FILE`."""
    app = typer.Typer(help="知识库导入与导出", no_args_is_help=True)

    @app.command("import", help="导入知识条目；同一文件可以重复导入。")
    def import_(
        file: Annotated[
            Path, typer.Argument(exists=True, help="jsonl、csv、xlsx、Markdown 目录或 zip")
        ],
        dry_run: Annotated[bool, typer.Option(help="只检查，不写入")] = False,
        embed: Annotated[bool, typer.Option(help="导入后立即计算向量")] = True,
    ) -> None:
        report = asyncio.run(_import(open_tools, file, dry_run=dry_run, embed=embed))
        _show(report, dry_run=dry_run)
        raise typer.Exit(1 if report.failed else 0)

    @app.command("export", help="导出全部知识条目。")
    def export(
        file: Annotated[Path, typer.Argument(help="以 .jsonl、.csv、.xlsx 或 .zip 结尾")],
    ) -> None:
        count = asyncio.run(_export(open_tools, file))
        Console().print(f"已导出 {count} 条到 {file}")

    return app


def faq_app(open_tools: Open) -> typer.Typer:
    """`wenqu faq predict --queries IN --out OUT`, `wenqu faq eval DIR`."""
    app = typer.Typer(help="问答机器人：批量回答与评测", no_args_is_help=True)

    @app.command("predict", help="用回答客户的同一套代码回答一批问题。")
    def predict_(
        queries: Annotated[Path, typer.Option(exists=True, help="每行 {query_id, query}")],
        out: Annotated[Path, typer.Option(help="每行 {query_id, answer_id, confidence}")],
    ) -> None:
        count = asyncio.run(_predict(open_tools, queries, out))
        Console().print(f"已回答 {count} 个问题，结果在 {out}")

    @app.command("eval", help="在带标注的问题集上评测：准确率、覆盖率及其区间。")
    def eval_(
        folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="数据目录")],
    ) -> None:
        try:
            sets = evaluation.read_sets(folder)
        except evaluation.EvaluationError as error:
            raise typer.BadParameter(str(error)) from error
        for labelled in sets:
            report = asyncio.run(_evaluate(open_tools, labelled))
            for line in evaluation.lines(report):
                Console().print(line, markup=False, highlight=False)

    @app.command("learn", help="导入带标注的问题（每行 {query, gold}），供校准与发布前检查。")
    def learn(
        queries: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    ) -> None:
        try:
            questions = evaluation.read_questions(queries)
        except evaluation.EvaluationError as error:
            raise typer.BadParameter(str(error)) from error
        kept = asyncio.run(_learn(open_tools, questions))
        Console().print(f"已记下 {kept} 个问题，共 {len(questions)} 个")

    @app.command("calibrate", help="用已知问题重新校准，按目标精度定阈值，存档并启用。")
    def calibrate(
        target: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.98,
        activate: Annotated[bool, typer.Option(help="数据足够时立即启用")] = True,
    ) -> None:
        view = asyncio.run(_calibrate(open_tools, target, activate=activate))
        _show_calibration(view)

    @app.command("optimise", help="在本机把内置模型转成更快的 int8 ONNX；重启后自动使用。")
    def optimise() -> None:
        Console().print(*asyncio.run(_optimise(open_tools)), sep="\n", markup=False)

    return app


async def _optimise(open_tools: Open) -> list[str]:
    async with open_tools() as tools:
        if tools.models is None:
            raise typer.BadParameter("没有可以写入的数据目录")
        file = tools.models / optimised.FILE_NAME
        try:
            await asyncio.to_thread(optimised.make, file)
        except EncoderError as error:
            raise typer.BadParameter(str(error)) from error
        found = await optimised.compare(file)
    speed = f"每句 {found.ms:.1f} ms，原来 {found.original_ms:.1f} ms；余弦 {found.cosine:.3f}"
    return [f"已写入 {file}", speed, "重启服务后使用；全部条目的向量会在启动时重算一次。"]


async def _learn(open_tools: Open, questions: Sequence[evaluation.Question]) -> int:
    pairs = [(question.query[:500], sorted(question.gold)) for question in questions]
    kept = 0
    async with open_tools() as tools:
        for start in range(0, len(pairs), _LEARNT_AT_ONCE):
            async with tools.uow.write() as tx:
                part = pairs[start : start + _LEARNT_AT_ONCE]
                kept += await import_known(tx, part, by=Actor.system("faq-learn"))
    return kept


async def _calibrate(open_tools: Open, target: float, *, activate: bool) -> CalibrationView:
    async with open_tools() as tools:
        answerer = tools.answerer()
        await answerer.start()
        by = Actor.system("faq-calibrate")
        return await refit(tools.uow, answerer, by=by, target=target, activate_own=activate)


async def _evaluate(open_tools: Open, labelled: evaluation.LabelledSet) -> evaluation.Report:
    async with open_tools() as tools:
        with _bar() as bar:
            task = bar.add_task(labelled.name, total=None)
            return await evaluation.evaluate(
                labelled,
                tools.embedder(),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )


async def _import(open_tools: Open, file: Path, *, dry_run: bool, embed: bool) -> ImportReport:
    async with open_tools() as tools:
        with _bar() as bar:
            rows = bar.add_task("读取", total=None)
            try:
                records = await asyncio.to_thread(_records, file)
                report = await import_records(
                    tools.uow,
                    records,
                    by=Actor.system("kb-import"),
                    dry_run=dry_run,
                    progress=lambda done: bar.update(rows, completed=done),
                )
            except Invalid as error:
                raise typer.BadParameter(f"{error.code} {error.facts}") from error
            if embed and not dry_run:
                task = bar.add_task("向量", total=None)
                await tools.answerer().start(
                    progress=lambda done, total: bar.update(task, completed=done, total=total)
                )
    return report


def _records(file: Path) -> Iterable[Record]:
    if file.is_dir():
        return read_folder(file)
    if file.suffix.lower() == ".zip":
        return read_archive(file.read_bytes())
    return read_records(file.read_bytes(), format_of(file.name))


async def _export(open_tools: Open, file: Path) -> int:
    is_archive = file.suffix.lower() == ".zip"
    try:
        kind = "" if is_archive else format_of(file.name)
    except Invalid as error:
        raise typer.BadParameter("文件名须以 .jsonl、.csv、.xlsx 或 .zip 结尾") from error
    async with open_tools() as tools:
        with file.open("wb") as out:
            if is_archive:
                return await write_archive(every_article(tools.uow), out)
            return await export_articles(tools.uow, out, kind)


async def _predict(open_tools: Open, queries: Path, out: Path) -> int:
    wanted = list(_queries(await asyncio.to_thread(queries.read_text, encoding="utf-8-sig")))
    async with open_tools() as tools:
        answerer = tools.answerer()
        with _bar() as bar:
            loading = bar.add_task("载入", total=None)
            await answerer.start(
                progress=lambda done, total: bar.update(loading, completed=done, total=total)
            )
            asking = bar.add_task("回答", total=len(wanted))
            lines = await predict(
                answerer, wanted, progress=lambda done: bar.update(asking, completed=done)
            )
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    await asyncio.to_thread(out.write_text, text, encoding="utf-8")
    return len(lines)


def _queries(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            yield str(value["query_id"]), str(value["query"])
        except (ValueError, KeyError, TypeError) as error:
            raise typer.BadParameter(f"第 {number} 行不是 {{query_id, query}}") from error


def _show(report: ImportReport, *, dry_run: bool) -> None:
    console = Console()
    head = "检查完成（没有写入）" if dry_run else "导入完成"
    counts = f"新增 {report.created}，更新 {report.updated}，未变 {report.unchanged}"
    console.print(f"{head}：{counts}，出错 {report.failed}")
    for error in report.errors[:_ERRORS_SHOWN]:
        console.print(f"  第 {error.row} 行：{error.message}", markup=False)
    if report.failed > _ERRORS_SHOWN:
        console.print(f"  另有 {report.failed - _ERRORS_SHOWN} 行出错")


def _show_calibration(view: CalibrationView) -> None:
    point, console = view.point, Console()
    if not view.is_own:
        console.print(f"标注只有 {view.labels} 条，太少：阈值保持不变")
        return
    console.print(f"标注 {view.labels} 条，目标精度 {view.target:.1%}，阈值 {view.answer:.3f}")
    bounds = f"[{point.precision_low:.3f}, {point.precision_high:.3f}]"
    console.print(f"  精度 {point.precision:.3f}  {bounds}", markup=False)
    console.print(f"  覆盖率 {point.coverage:.3f}，范围外误答 {point.out_of_scope_answered:.3f}")
    if not view.is_assured:
        console.print("  标注还不足以单独担保目标精度，阈值参考了模型的预期；请继续补充已知问题")
    console.print("  已启用" if view.is_active else "  未启用")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))

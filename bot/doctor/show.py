"""Findings on the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.markup import escape

from core.diagnosis import Diagnosis, Finding, Status

_MARKS: Final = {
    Status.OK: "[green]✓[/green]",
    Status.WARN: "[yellow]![/yellow]",
    Status.FAIL: "[red]✗[/red]",
    Status.SKIP: "[dim]–[/dim]",
}


def show(console: Console, finding: Finding) -> None:
    line = f"{_MARKS[finding.status]} {finding.title}  {escape(finding.detail)}"
    console.print(line, soft_wrap=True, highlight=False)
    if finding.advice:
        console.print(f"    → {escape(finding.advice)}", soft_wrap=True, highlight=False)


def sum_up(console: Console, diagnosis: Diagnosis) -> None:
    count = dict.fromkeys(Status, 0)
    for finding in diagnosis.findings:
        count[finding.status] += 1
    console.print(
        f"\n通过 {count[Status.OK]}，提醒 {count[Status.WARN]}，"
        f"失败 {count[Status.FAIL]}，跳过 {count[Status.SKIP]}。"
    )

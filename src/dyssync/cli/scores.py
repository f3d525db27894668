"""Predictions for people: the one answer, or all models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from dyssync.cli.rows import Table
from dyssync.cli.terminal import say
from dyssync.inspection.wording import NONE

if TYPE_CHECKING:
    from dyssync.prediction.predictor import ModelPrediction, Prediction

HEADS = ("probability", "calibration", "fits", "at 80 %", "at 90 %", "goes by")
WIDTHS = (11, 11, 5, 13, 13)
FOOT = (
    "probability of response: mean of all fits, each graded on patients that it had not seen. "
    "calibration: range\nof two ways to calibrate it, logistic and Venn-Abers; no confidence "
    "interval. fits: SD between them. At 80 and\n90 %: so many of each class keep their outcome, "
    "not so many of those called so are right. defer: both outcomes\nstay possible. "
    "Research use only."
)


class AnswerTable(Table["Prediction"]):
    """A block a file for people: the one answer."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.written = False

    def add(self, name: str, found: Prediction) -> None:
        """Write a block."""
        from dyssync.inspection.answer import beside, decision, headline, rests_on
        from dyssync.prediction.short import short_answer

        answer = short_answer(found)
        assert answer is not None
        lines = [""] if self.written else []
        self.written = True
        lines += [f"{name}: {headline(answer)}", f"  {decision(answer)}"]
        lines.append(f"  rests on: {rests_on(answer)}")
        lines += [f"  {text}" for text in beside(answer)]
        lines += [f"  caution: {text}" for text in answer.cautions]
        say("\n".join(lines), file=self.file, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.written:
            say(f"\n{ANSWER_FOOT}", file=self.file)


ANSWER_FOOT = (
    "In brackets: range of two ways to calibrate, no confidence interval. At 80 and 90 %: so many "
    "of each class keep\ntheir outcome, not so many of those called so are right. All models: "
    "--all. Research use only."
)


class ScoreTable(Table["Prediction"]):
    """A block a file for people: a line a model, with reasons and cautions below."""

    def __init__(self, file: TextIO, models: Sequence[str]) -> None:
        self.file = file
        self.width = max(5, *(len(name) for name in models))
        self.written = False

    def add(self, name: str, found: Prediction) -> None:
        """Write a block."""
        lines = [""] if self.written else []
        self.written = True
        lines.append(f"{name}: base rate {found.base_rate:.2f}")
        lines.append(f"  {'model':{self.width}}  {_line(HEADS)}")
        lines += [
            f"  {model:{self.width}}  {_line(_cells(said))}" for model, said in found.models.items()
        ]
        lines += [f"  {text}" for text in _reasons(found)]
        lines += [f"  caution: {text}" for text in found.cautions]
        say("\n".join(lines), file=self.file, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.written:
            say(f"\n{FOOT}", file=self.file)


def _line(cells: Sequence[str]) -> str:
    *first, last = cells
    return "  ".join([*(f"{c:{w}}" for c, w in zip(first, WIDTHS, strict=True)), last])


def _cells(said: ModelPrediction) -> tuple[str, ...]:
    from dyssync.prediction.short import calibration_range

    (low, high), sd = calibration_range(said), said.members_sd
    interval = NONE if low is None or high is None else f"{low:.2f}-{high:.2f}"
    spread = NONE if sd is None else f"{sd:.2f}"
    return (
        f"{said.probability:.2f}", interval, spread, said.set_80, said.set_90, said.basis,
    )  # fmt: skip


def _reasons(prediction: Prediction) -> list[str]:
    from dyssync.inspection.answer import SHOWN_REASONS, reason

    lines = []
    for name, m in prediction.models.items():
        if m.contributions:
            lines.append(f"{name}: {', '.join(map(reason, m.contributions[:SHOWN_REASONS]))}")
        if m.statement is not None:
            lines.append(f"{name}: {m.statement}")
        if name in prediction.encoders:
            lines.append(f"{name}: its network was first {prediction.encoders[name]}")
    return lines

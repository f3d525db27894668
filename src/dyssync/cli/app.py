"""The verbs, and how errors are told; those of ours keep their traceback."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import typer
from typer.exceptions import TyperException

from dyssync.cli.exits import Exit
from dyssync.errors import InputError
from dyssync.workers import use_one_thread

app = typer.Typer(
    name="dyssync",
    help="Predict the response to cardiac resynchronization therapy from the 12-lead ECG.\n\n"
    "Research use only: not a medical device.\n\n"
    "Example: dyssync study --cohort cohort.csv --preset quick --out RUN\n\n"
    "then: dyssync predict RUN/bundle ecg.hea",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# Each verb: module of this room and function. A new one is its module and a line here.
VERBS: Mapping[str, str] = {
    "study": "studying:study",
    "check": "checking:check",
    "predict": "predicting:predict",
    "validate": "validating:validate",
    "simulate": "simulating:simulate",
    "pretrain": "pretraining:pretrain",
    "inspect": "inspecting:inspect",
    "measure": "measuring:measure",
    "convert": "converting:convert",
    "render": "rendering:render",
    "serve": "serving:serve",
    "list": "listing:listing",
}
INTERRUPTED = "interrupted; study, simulate and pretrain go on with the same command"
for verb, home in VERBS.items():
    module, _, function = home.partition(":")
    app.command(verb)(getattr(import_module(f"dyssync.cli.{module}"), function))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    use_one_thread()  # before a verb loads NumPy
    try:
        code = app(args=None if argv is None else list(argv), standalone_mode=False)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.INPUT
    except TyperException as error:
        print(f"error: {error.format_message()}", file=sys.stderr)
        return Exit.INPUT
    except (KeyboardInterrupt, typer.Abort):
        print(INTERRUPTED, file=sys.stderr)
        return Exit.INTERRUPTED
    return int(code or Exit.DONE)

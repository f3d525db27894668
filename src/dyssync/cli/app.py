"""The verbs, and how errors are told; those of ours keep their traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper

import typer
from typer.exceptions import TyperException

from dyssync.cli.exits import Exit
from dyssync.cli.finite import finite
from dyssync.cli.terminal import say
from dyssync.errors import InputError
from dyssync.workers import use_one_thread

# Each verb: module of this room and function. A new one is its module and a line here; one of two
# words stands with its like.
VERBS: Mapping[str, str] = {
    "study": "studying:study",
    "check": "checking:check",
    "predict": "predicting:predict",
    "validate": "validating:validate",
    "simulate": "simulating:simulate",
    "corpus add": "corpora:add",
    "pretrain": "pretraining:pretrain",
    "inspect": "inspecting:inspect",
    "measure": "measuring:measure",
    "convert": "converting:convert",
    "render": "rendering:render",
    "digitise": "digitising:digitise",
    "serve": "serving:serve",
    "list": "listing:listing",
}
GROUPS: Mapping[str, str] = {"corpus": "Corpora: many ECGs without labels, as Parquet shards."}


def make_app(words: Sequence[str] = ()) -> typer.Typer:
    """Return the command line, with the verb alone that a call begins with, if it does with one.

    The modules of all verbs take longer to import than short calls take in all.
    """
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
    groups = {
        name: typer.Typer(help=told, no_args_is_help=True, rich_markup_mode=None)
        for name, told in GROUPS.items()
    }
    for name, group in groups.items():
        app.add_typer(group, name=name)
    asked = [verb for verb in VERBS if list(words[:1]) == verb.split()[:1]]
    for verb in asked or VERBS:
        module, _, function = VERBS[verb].partition(":")
        family, _, word = verb.rpartition(" ")
        made = finite(getattr(import_module(f"dyssync.cli.{module}"), function))
        groups.get(family, app).command(word)(made)
    return app


def run(words: Sequence[str]) -> int:
    """Run a call; return its exit code, :attr:`Exit.INTERRUPTED` after Ctrl-C."""
    use_one_thread()  # before a verb loads NumPy
    _speak_any_name()
    try:
        code = make_app(words)(args=list(words), standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        return _refused(str(error))
    except TyperException as error:
        return _refused(error.format_message())
    except typer.Abort:
        return Exit.INTERRUPTED
    except OSError as error:  # of the machine: a full disk, missing rights, too long a name
        _give_up_stdout()
        return _refused(_wording(error))
    return int(code or Exit.DONE)


def _refused(text: str) -> int:
    say(f"error: {text}", file=sys.stderr)
    return Exit.INPUT


def _wording(error: OSError) -> str:
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    what = os.strerror(error.errno) if error.errno else str(error)
    return f"{name}: {what}" if name else what


def _give_up_stdout() -> None:
    """If what was printed cannot be written, let Python not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _speak_any_name() -> None:
    """Let a name be printed whose letters a terminal does not have, or that is no text at all."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # tests put other things there
            stream.reconfigure(errors="backslashreplace")

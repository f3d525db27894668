"""`dyssync serve`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from dyssync.cli.terminal import say
from dyssync.errors import InputError

NEEDED = ("fastapi", "uvicorn", "python_multipart")
INSTALL = "pip install 'dyssync[serve]'"
OPEN = (
    "warning: other machines can reach {host}, and no token is asked for. Everybody there can send "
    "ECGs; set --token, and put TLS in front"
)


def serve(
    bundle: Annotated[Path, typer.Argument(help="Bundle, or the run folder that holds it.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="DYSSYNC_TOKEN",
            help="That API and page ask for; better in the variable than in the list of processes.",
        ),
    ] = None,
    level: Annotated[
        int, typer.Option(help="80 or 90: of 100 of each class, how many keep their outcome.")
    ] = 80,
) -> int:
    """Show a page for one patient, and an API beside it, until Ctrl-C.

    Example: dyssync serve RUN/bundle

    Drop an ECG on the page: tracing with calipers, measurements, one probability or "defer", what
    it rests on. Nothing of a patient is kept, nothing is loaded from elsewhere. The API is
    described at /openapi.json and in docs/serve.md.

    Exit code 0: ended by Ctrl-C; 2: the bundle or the call must be changed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"serving needs {', '.join(missing)}: {INSTALL}")
    from dyssync.errors import check_choice
    from dyssync.prediction.bundle import load_bundle
    from dyssync.web.levels import LEVELS
    from dyssync.web.server import address, make_answers, open_to_all, run

    check_choice("level", str(level), map(str, LEVELS))
    opened = load_bundle(bundle)
    if open_to_all(host) and token is None:
        say(OPEN.format(host=host), file=sys.stderr)
    say("loading the models", file=sys.stderr)
    answers = make_answers(opened, level)
    say(f"{address(host, port)} - research use only; Ctrl-C ends it", file=sys.stderr, flush=True)
    run(answers, host, port, token)
    return 0

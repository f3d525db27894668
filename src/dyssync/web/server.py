"""Runs the application: loopback by default, no log of clients, an orderly end."""

from __future__ import annotations

import contextlib
import ipaddress

import uvicorn

from dyssync.prediction.bundle import Bundle
from dyssync.web.answers import Answers
from dyssync.web.app import create_app
from dyssync.web.audit import set_up_logs
from dyssync.web.connections import PatientlyWaiting
from dyssync.web.guard import HEAD_BYTES
from dyssync.web.memory import share_memory
from dyssync.web.readers import Readers
from dyssync.web.warming import some_heart

READERS = 2
CONNECTIONS = 100  # at once; the next is answered 503
KEEP_ALIVE_S = 5
SHUTDOWN_S = 30  # for what is being answered


def open_to_all(host: str) -> bool:
    """Return whether others than this machine can reach a server at `host`.

    >>> open_to_all("127.0.0.1"), open_to_all("localhost"), open_to_all("0.0.0.0")
    (False, False, True)
    """
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def address(host: str, port: int) -> str:
    """Return what a browser on this machine is given; an IPv6 address stands in brackets.

    >>> address("127.0.0.1", 8080), address("::1", 80), address("::", 80)
    ('http://127.0.0.1:8080', 'http://[::1]:80', 'http://[::1]:80')
    >>> address("0.0.0.0", 80), address("clinic", 80)
    ('http://127.0.0.1:80', 'http://clinic:80')
    """
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if found.is_unspecified:  # every address of this machine, and none that a browser could open
        found = ipaddress.ip_address("::1" if found.version == 6 else "127.0.0.1")
    return f"http://[{found}]:{port}" if found.version == 6 else f"http://{found}:{port}"


def make_answers(bundle: Bundle, level: int = 80) -> Answers:
    """Load the models, start the reading processes, and answer once for nobody.

    Raises:
        ModelError: a model cannot be used.
    """
    share_memory()
    answers = Answers(bundle, Readers(READERS), level)
    answers.warm_up(some_heart())
    return answers


def run(answers: Answers, host: str, port: int, token: str | None) -> None:
    """Serve until a signal ends it; what is being answered then is answered still."""
    set_up_logs()
    with contextlib.suppress(KeyboardInterrupt):  # raised once more when all is answered
        make_server(answers, host, port, token).run()


def make_server(answers: Answers, host: str, port: int, token: str | None) -> uvicorn.Server:
    """Return a server that is not running yet."""
    config = uvicorn.Config(
        create_app(answers, token),
        host=host,
        port=port,
        http=PatientlyWaiting,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    return uvicorn.Server(config)

"""Who asked for nothing, what was answered: a line a request, without identifiers."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

MOST_FRAMES = 8  # of a fault; those before are the libraries' own
LOG = logging.getLogger("dyssync.audit")


def note(route: str, bundle: str, verdict: str, status: int, digest: str = "") -> None:
    """Write one line: time, route, digest of what was read, of the bundle, verdict, status."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "route": route,
        "sha256": digest,
        "bundle": bundle,
        "verdict": verdict,
        "status": status,
    }
    LOG.info(json.dumps(line))


class WithoutMessages(logging.Formatter):
    """Tells a fault by its kind and place, not by its message, which may quote an upload."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name is logging's
        """Return the kind of the error and the lines that it came through."""
        assert isinstance(ei, tuple)
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)[-MOST_FRAMES:]
        return "\n".join([*(f"  {f.filename}:{f.lineno} {f.name}" for f in frames), kind.__name__])


def set_up_logs() -> None:
    """Let the audit go to standard error, and let no log quote an upload or name a client."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.handlers, LOG.propagate = [handler], False
    LOG.setLevel(logging.INFO)
    faults = logging.StreamHandler()
    faults.setFormatter(WithoutMessages("%(levelname)s: %(message)s"))
    server = logging.getLogger("uvicorn.error")
    server.handlers, server.propagate = [faults], False
    server.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").handlers = []  # it would name clients

"""What rules say that need no patients to learn from: it stands beside every answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dyssync.image import Input, ecg_of
from dyssync.models import MODELS
from dyssync.models.protocols import Rule

TITLES: Mapping[str, str] = {
    "guideline-esc-2021": "ESC 2021",
    "guideline-hrs-2023": "HRS/APHRS/LAHRS 2023",
    "qrs-area": "QRS area",
    "lbbb-strauss": "Strict LBBB",
}
SHORT = ("guideline-esc-2021", "qrs-area")  # where there is room for a line or two


def statements(x: Input, names: Iterable[str] = tuple(TITLES)) -> dict[str, str]:
    """Return what rules say of a recording, by their names; nothing of a picture not read off.

    Args:
        x: the recording.
        names: of :data:`TITLES`, those to ask.
    """
    ecg = ecg_of(x)
    if ecg is None:
        return {}
    rules = {name: MODELS[name]() for name in names}
    return {name: rule.statement(ecg) for name, rule in rules.items() if isinstance(rule, Rule)}

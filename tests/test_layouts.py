import pytest

from dyssync.ecg import LEADS
from dyssync.errors import ConfigError
from dyssync.layouts import LAYOUTS, Layout, Panel


@pytest.mark.parametrize("name", LAYOUTS.names())
def test_layout_shows_every_lead_once_beside_its_rhythm_strips(name: str) -> None:
    layout = LAYOUTS[name]
    assert layout.name == name
    assert sorted(p.lead for p in layout.panels if not p.rhythm) == sorted(LEADS)
    cells = [(p.row, p.column) for p in layout.panels]
    assert len(set(cells)) == len(cells)
    assert max(layout.area_mm[0] / layout.page_mm[0], layout.area_mm[1] / layout.page_mm[1]) < 1


def test_cabrera_order_holds_minus_avr() -> None:
    column = [p.label for p in LAYOUTS["6x2-cabrera"].panels if p.column == 0]
    assert column == ["aVL", "I", "-aVR", "II", "aVF", "III"]


def test_unknown_layout_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"unknown layout '3x5'.*3x4\+II.*Nearest"):
        LAYOUTS["3x5"]


def test_impossible_layouts_are_refused() -> None:
    with pytest.raises(ConfigError, match="no panels"):
        Layout("empty", ())
    with pytest.raises(ConfigError, match="lead 'V9'"):
        Panel("V9", 0, 0)
    with pytest.raises(ConfigError, match="seconds"):
        Layout("long", (Panel("I", 0, 0),), seconds=600)

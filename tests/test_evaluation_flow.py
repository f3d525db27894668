"""Shares of responders with patients who have no outcome."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyssync.errors import InputError
from dyssync.evaluation.flow import responder_shares

COUNT = st.integers(0, 500)


def test_deaths_of_eight_percent_take_five_points() -> None:
    # 62 % among survivors, 8 % died: .62 * .92 = .57
    shares = responder_shares(responders=5704, non_responders=3496, died=800)
    assert shares.measured == pytest.approx(0.62)
    assert shares.deaths_as_non_responders == pytest.approx(0.57, abs=5e-4)
    assert shares.worst == shares.best == shares.deaths_as_non_responders


@given(COUNT, COUNT, COUNT, COUNT, st.data())
def test_whatever_became_of_the_lost_lies_between_the_bounds(
    responders: int, non_responders: int, died: int, lost: int, data: st.DataObject
) -> None:
    shares = responder_shares(responders, non_responders, died, lost)
    everybody = responders + non_responders + died + lost
    if not everybody:
        assert math.isnan(shares.worst)
        return
    truth = (responders + data.draw(st.integers(0, lost))) / everybody
    assert shares.worst <= truth <= shares.best
    assert shares.best - shares.worst == pytest.approx(lost / everybody)


def test_a_negative_count_is_named() -> None:
    with pytest.raises(InputError, match="died is -1"):
        responder_shares(1, 1, died=-1)

"""What was computed is kept only as long as somebody owns it."""

import threading
from collections.abc import Callable

import pytest

from dyssync.keeping import keeping, kept


@pytest.fixture
def counted() -> tuple[Callable[..., list[int]], list[int]]:
    """A function of which two results are kept, and the arguments with which it was computed."""
    computed: list[int] = []

    @kept(most=2)
    def doubled(n: int, times: int = 2) -> list[int]:
        """Return the product, in a list."""
        computed.append(n)
        return [n * times]

    return doubled, computed


Counted = tuple[Callable[..., list[int]], list[int]]


def test_nothing_is_kept_where_nobody_keeps(counted: Counted) -> None:
    doubled, computed = counted
    assert doubled(1) == doubled(1) == [2]
    assert computed == [1, 1]


def test_a_result_is_shared_inside_the_block_and_dropped_at_its_end(counted: Counted) -> None:
    doubled, computed = counted
    with keeping():
        assert doubled(1) is doubled(1)
        assert doubled(1, times=3) == [3]
        assert computed == [1, 1]
    doubled(1)
    with keeping():
        doubled(1)
    assert computed == [1, 1, 1, 1]


def test_it_is_dropped_after_an_error_too(counted: Counted) -> None:
    doubled, computed = counted
    with pytest.raises(KeyboardInterrupt), keeping():
        raise KeyboardInterrupt(doubled(1))
    doubled(1)
    assert computed == [1, 1]


def test_inner_blocks_share_the_outer_one(counted: Counted) -> None:
    doubled, computed = counted
    with keeping():
        with keeping():
            doubled(1)
        doubled(1)
    assert computed == [1]


def test_the_result_that_was_not_asked_for_longest_goes_first(counted: Counted) -> None:
    doubled, computed = counted
    with keeping():
        for n in (1, 2, 1, 3, 1, 2):  # 3 pushes 2 out
            doubled(n)
    assert computed == [1, 2, 3, 2]


def test_functions_do_not_share_results(counted: Counted) -> None:
    doubled, _ = counted

    @kept(most=2)
    def halved(n: int) -> float:
        return n / 2

    with keeping():
        assert (doubled(4), halved(4)) == ([8], 2.0)
        for n in range(9):
            halved(n)
        assert doubled(4) is doubled(4)


def test_what_raises_is_not_kept() -> None:
    asked: list[int] = []

    @kept(most=2)
    def refuse(n: int) -> None:
        asked.append(n)
        raise ValueError(n)

    with keeping():
        for _ in range(2):
            with pytest.raises(ValueError, match="1"):
                refuse(1)
    assert asked == [1, 1]


def test_threads_do_not_share(counted: Counted) -> None:
    doubled, computed = counted
    with keeping():
        doubled(1)
        other = threading.Thread(target=doubled, args=(1,))
        other.start()
        other.join()
        doubled(1)
    assert computed == [1, 1]


def test_a_kept_function_keeps_its_name_and_words(counted: Counted) -> None:
    assert counted[0].__name__ == "doubled"
    assert counted[0].__doc__ == "Return the product, in a list."

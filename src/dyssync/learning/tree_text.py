"""LightGBM text is read by nobody but LightGBM, which crashes on text that was cut or changed.

So it is checked before: every line is one that LightGBM itself writes, every list has its length,
every number is finite, and every tree is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import ModelError

MAX_DEPTH = 1000  # LightGBM walks trees by recursion, with memory that grows as its square
_HEAD = (
    "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
)  # fmt: skip
_OBJECTIVES = ("objective=binary sigmoid:1", "objective=regression")
_INFO = re.compile(r"none|\[-?[0-9.e+-]+:-?[0-9.e+-]+\]")
_TAIL = re.compile(
    r"end of trees\n\nfeature_importances:\n(?:[!-<>-~]+=\d+\n)*\nparameters:\n"
    r"(?:\[[a-z0-9_]+: [^\[\]\n]*\]\n)*\nend of parameters\n\npandas_categorical:null\n?"
)
# What a line holds: a whole number, whole numbers, numbers. Of splits by category there are none.
_WHOLE, _WHOLES, _NUMBERS = r"(\d{1,6})", r"([0-9 -]*)", r"([0-9.e+ -]*)"
_TREE_LINES = {
    "Tree": _WHOLE,
    "num_leaves": _WHOLE,
    "num_cat": "0",
    "split_feature": _WHOLES,
    "split_gain": _NUMBERS,
    "threshold": r"([0-9.einf+ -]*)",  # inf where the split is between known and missing
    "decision_type": _WHOLES,
    "left_child": _WHOLES,
    "right_child": _WHOLES,
    "leaf_value": _NUMBERS,
    "leaf_weight": _NUMBERS,
    "leaf_count": _WHOLES,
    "internal_value": _NUMBERS,
    "internal_weight": _NUMBERS,
    "internal_count": _WHOLES,
    "is_linear": "0",
    "shrinkage": _NUMBERS,
}
_TYPES = {"0", "2", "4", "6", "8", "10"}  # of splits by number
_TREE = re.compile("".join(f"{key}={held}\n" for key, held in _TREE_LINES.items()) + "\n\n")


def check_trees(text: str, names: Sequence[str], *, rounds: int, leaves: int) -> None:
    """Refuse text of which LightGBM would not make the trees that it wrote.

    Args:
        text: the model.
        names: of the features that it was grown on.
        rounds: trees at most.
        leaves: leaves a tree at most.

    Raises:
        ModelError: it is damaged.
    """
    head, _, _ = text.partition("\n\n")
    sizes = _sizes(head.split("\n"), names)
    if len(sizes) > rounds:
        raise damaged()
    at = len(head) + 2
    finite: list[str] = []
    thresholds: list[str] = []
    for k, size in enumerate(sizes):
        tree = _TREE.fullmatch(text, at, at + size)
        if tree is None or tree[1] != str(k):
            raise damaged()
        words, cuts = _checked_words(tree, len(names), leaves)
        finite += words
        thresholds += cuts
        at += size
    numbers = np.isfinite(_numbers(finite)).all() and not np.isnan(_numbers(thresholds)).any()
    if not numbers or not _TAIL.fullmatch(text, at):
        raise damaged()


def damaged() -> ModelError:
    """Return the error of trees that are none."""
    return ModelError("the trees are damaged; copy the bundle again")


def _sizes(lines: list[str], names: Sequence[str]) -> list[int]:
    """Return how many characters each tree has, from the head of the model."""
    held = dict(line.partition("=")[::2] for line in lines[5:])
    infos = held.get("feature_infos", "").split(" ")
    right = (
        tuple(lines[:5]) == _HEAD
        and held.get("max_feature_idx") == str(len(names) - 1)
        and f"objective={held.get('objective')}" in _OBJECTIVES
        and held.get("feature_names") == " ".join(names)
        and re.fullmatch(r"(-?1|0)?( (-?1|0))*", held.get("monotone_constraints", ""))
        and len(infos) == len(names)
        and all(_INFO.fullmatch(info) for info in infos)
        and re.fullmatch(r"\d{1,7}( \d{1,7})*", held.get("tree_sizes", ""))
    )
    if not right:
        raise damaged()
    return [int(size) for size in held["tree_sizes"].split(" ")]


def _checked_words(
    tree: re.Match[str], n_features: int, leaves: int
) -> tuple[list[str], list[str]]:
    """Return the numbers of a tree, and its thresholds, if its lists have their lengths."""
    held = [group.split() for group in tree.groups()[2:]]
    (
        features, gains, thresholds, types, left, right,
        values, weights, counts, *of_nodes, shrinkage,
    ) = held  # fmt: skip
    n = int(tree[2])
    per_leaf = {n} if n > 1 else {0, 1}  # nobody knows the weight of a leaf that never split off
    lists = (features, gains, thresholds, types, left, right, *of_nodes)
    if (
        not 1 <= n <= leaves
        or any(len(words) != n - 1 for words in lists)
        or len(values) != n
        or len(shrinkage) != 1
        or not {len(weights), len(counts)} <= per_leaf
        or any(not 0 <= feature < n_features for feature in _whole(features))
        or not set(types) <= _TYPES
    ):
        raise damaged()
    _check_nodes(_whole(left), _whole(right))
    finite = [word for words in held if words is not thresholds for word in words]
    return finite, thresholds


def _check_nodes(left: Sequence[int], right: Sequence[int]) -> None:
    """Refuse children that are no tree: each node and leaf hangs once, below an earlier node."""
    n = len(left) + 1
    depth = [0] * len(left)
    for node, pair in enumerate(zip(left, right, strict=True)):
        for child in pair:
            if child >= 0:
                if not node < child < len(left):
                    raise damaged()
                depth[child] = depth[node] + 1
    if n > 1 and sorted([*left, *right]) != [*range(-n, 0), *range(1, n - 1)]:
        raise damaged()
    if max(depth, default=0) > MAX_DEPTH:
        raise damaged()


def _numbers(words: Sequence[str]) -> Floats:
    try:
        return np.array(words, dtype=np.float64)
    except ValueError as error:
        raise damaged() from error


def _whole(words: Sequence[str]) -> list[int]:
    try:
        return [int(word) for word in words]
    except ValueError as error:
        raise damaged() from error

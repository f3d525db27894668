"""What is known of the texts that a function makes: which are `Words` (tools/wording.py)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TypeAlias

# What may be shown of a value by its type; a text is `Words` where a signature says so.
SHOWN_TYPES = {"Words", "Vetted", "int", "float", "bool", "None", "list"}
NUMBERS = {"len", "int", "float"}
OURS = {"FormatError", "TooLarge", "UnknownFormat", "IrregularError"}  # words of these are checked
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_NUMBER_FORMAT = re.compile(r"[^{}]*[bdeEfFgGnoxX%]")  # which Python refuses to give to a text
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def shown_type(annotation: ast.expr | None) -> bool:
    """Say whether values of this type quote nothing."""
    if annotation is None:
        return False
    return set(re.findall(r"[A-Za-z_.]+", ast.unparse(annotation))) <= SHOWN_TYPES


def is_words(annotation: ast.expr | None) -> bool:
    """Say whether an annotation is `Words`, alone or beside None."""
    return shown_type(annotation) and annotation is not None and "Words" in ast.unparse(annotation)


def name_of(called: ast.expr) -> str:
    """Return the last part of what is called: `told`, also of `words.told`."""
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


class Signatures:
    """What the functions of some modules say of the texts that they take and give."""

    def __init__(self, trees: list[ast.Module]) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.fields: dict[str, list[ast.expr]] = {}
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, Function):
                self.functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                        self.fields.setdefault(line.target.id, []).append(line.annotation)

    def is_shown(self, field: str) -> bool:
        """Say whether a field may be shown, in whatever class it stands."""
        found = self.fields.get(field, [])
        return bool(found) and all(shown_type(one) and not is_words(one) for one in found)

    def gives_words(self, name: str) -> bool:
        """Say whether all functions of this name return what may be shown."""
        found = self.functions.get(name, [])
        return bool(found) and all(shown_type(function.returns) for function in found)

    def texts(self, call: ast.Call) -> Iterator[ast.expr]:
        """Yield the arguments of a call that its function takes for `Words`."""
        for function in self.functions.get(name_of(call.func), []):
            given = [*function.args.posonlyargs, *function.args.args]
            places = given[1:] if given and given[0].arg in {"self", "cls"} else given
            for place, value in zip(places, call.args, strict=False):
                if is_words(place.annotation):
                    yield value
            wanted = {a.arg for a in (*given, *function.args.kwonlyargs) if is_words(a.annotation)}
            yield from (word.value for word in call.keywords if word.arg in wanted)


class Scope:
    """What is known of the names of one function."""

    def __init__(self, function: ast.AST, signatures: Signatures) -> None:
        self.signatures = signatures
        self.given: dict[str, list[ast.expr | bool]] = {}
        self._asked: set[str] = set()
        for node in ast.walk(function):
            self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        """Note what a statement gives to names; False stands for what may be anything."""
        match node:
            case ast.arg():
                self._give(node.arg, shown_type(node.annotation))
            case ast.Assign():
                for target in node.targets:
                    self._bind(target, node.value)
            case ast.AnnAssign() if shown_type(node.annotation) and not is_words(node.annotation):
                self._give_all(node.target, True)
            case ast.AnnAssign() if node.value is not None:
                self._bind(node.target, node.value)
            case ast.AugAssign() | ast.NamedExpr():
                self._bind(node.target, node.value)
            case ast.For() | ast.comprehension():
                self._walk_over(node.target, node.iter)
            case ast.withitem() if node.optional_vars is not None:
                self._give_all(node.optional_vars, False)
            case ast.ExceptHandler() if node.name is not None and node.type is not None:
                caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
                self._give(node.name, caught <= OURS)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend")):
                for argument in node.args:
                    self._give(name, argument)

    def _give(self, name: str, value: ast.expr | bool) -> None:
        self.given.setdefault(name, []).append(value)

    def _give_all(self, target: ast.expr, value: ast.expr | bool) -> None:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self._give(part.id, value)

    def _walk_over(self, target: ast.expr, values: ast.expr) -> None:
        """Give a name what it is given in a loop: what is made of `Words` alone gives `Words`."""
        match target, values:
            case ast.Tuple(elts=[place, each]), ast.Call(func=ast.Name(id="enumerate")):
                self._give_all(place, True)
                self._walk_over(each, values.args[0])
            case _, ast.Call(func=ast.Name(id="range")):
                self._give_all(target, True)
            case _:
                self._give_all(target, values)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._give(target.id, value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for part, one in zip(target.elts, value.elts, strict=True):
                self._bind(part, one)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self._give(target.value.id, value)
        else:
            self._give_all(target, False)

    @staticmethod
    def _is_constant(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and _CONSTANT.fullmatch(node.id) is not None

    def _name_is_clean(self, name: str) -> bool:
        if _CONSTANT.fullmatch(name) or name in self._asked:
            return True
        self._asked.add(name)  # a name may be given what it already holds
        values = self.given.get(name, [False])
        clean = all(value if isinstance(value, bool) else self.clean(value) for value in values)
        self._asked.discard(name)
        return clean

    def clean(self, node: ast.expr) -> bool:
        """Say whether an expression can be shown to quote nothing."""
        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr():
                return all(self._part_is_clean(part) for part in node.values)
            case ast.Name():
                return self._name_is_clean(node.id)
            case ast.Subscript():
                return self._is_constant(node.value) or self.clean(node.value)
            case ast.BinOp():
                return self.clean(node.left) and self.clean(node.right)
            case ast.BoolOp():
                return all(map(self.clean, node.values))
            case ast.IfExp():
                return self.clean(node.body) and self.clean(node.orelse)
            case ast.List() | ast.Tuple():
                return all(map(self.clean, node.elts))
            case ast.GeneratorExp() | ast.ListComp():
                return self.clean(node.elt)
            case ast.Call():
                return self._call_is_clean(node)
            case ast.Attribute(value=ast.Call(func=ast.Name(id="type")), attr="__name__"):
                return True
            case ast.Attribute():
                return self.signatures.is_shown(node.attr)
        return False

    def _part_is_clean(self, part: ast.expr) -> bool:
        if not isinstance(part, ast.FormattedValue):
            return True
        form = ast.unparse(part.format_spec)[2:-1] if part.format_spec else ""
        return _NUMBER_FORMAT.fullmatch(form) is not None or self.clean(part.value)

    def _call_is_clean(self, call: ast.Call) -> bool:
        name = name_of(call.func)
        if name in NUMBERS or self.signatures.gives_words(name):
            return True
        if name in {"str", "one_line", "sorted", "counted"}:  # they add nothing
            return all(map(self.clean, call.args))
        if name == "map":
            return self.signatures.gives_words(name_of(call.args[0]))
        if name in {"join", "removeprefix"} and isinstance(call.func, ast.Attribute):
            return self.clean(call.func.value) and all(map(self.clean, call.args))
        return False

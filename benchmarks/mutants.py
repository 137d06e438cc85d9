"""The mutants of a source file: single small changes that a good test suite notices.

`mutants_of` lists them, `mutated` makes the changed syntax tree. Nothing is imported or run here.

Left alone, because no test should pin them: docstrings, annotations and type aliases, texts and what is
written into them, arguments of exceptions and warnings, `__repr__`, `TYPE_CHECKING`, overloads, decorators,
lines with a coverage pragma, and keywords that change speed, memory or strictness only.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

Step = tuple[str, int | None]  # a field of a node and, where it is a list, the place in it
Function = ast.FunctionDef | ast.AsyncFunctionDef
Change = tuple[str, ast.AST]  # kind and what stands in the place of the node

#: Longest excerpt of source by which a mutant is known.
EXCERPT = 100
WRITERS = frozenset({"__repr__", "__str__", "_repr_html_", "__dir__"})
#: Keywords that change speed, memory or strictness, but no result.
TUNING = frozenset(
    {"strict", "copy", "dtype", "stacklevel", "optimize", "frozen", "slots", "repr", "eq", "out"}
)
#: Functions that do not care about the order of their arguments.
SYMMETRIC = frozenset({
    "min", "max", "minimum", "maximum", "fmin", "fmax", "add", "multiply", "hypot", "gcd", "equal",
    "not_equal", "array_equal", "isclose", "allclose", "logical_and", "logical_or", "logical_xor",
    "broadcast_arrays",
})  # fmt: skip

BOUNDS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
EQUALITIES = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
LOGIC = {ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And}
EXTREMA = {"min": "max", "minimum": "maximum", "fmin": "fmax", "nanmin": "nanmax", "argmin": "argmax"}
EXTREMA |= {"nanargmin": "nanargmax", "floor": "ceil", "idxmin": "idxmax"}
EXTREMA |= {after: before for before, after in EXTREMA.items()}
FUNCTIONS = {
    "any": "all",
    "all": "any",
    "cdf": "sf",
    "sf": "cdf",
    "ppf": "isf",
    "isf": "ppf",
    "zeros": "ones",
}
FUNCTIONS |= {"nansum": "sum", "nanmean": "mean", "nanmedian": "median", "nanstd": "std", "nanvar": "var"}
FUNCTIONS |= {"sum": "mean", "mean": "sum", "median": "mean", "std": "var", "var": "std", "ones": "zeros"}
FUNCTIONS |= {
    "ffill": "bfill",
    "bfill": "ffill",
    "isfinite": "isnan",
    "cumsum": "cumprod",
    "union": "intersection",
}
#: Functions of one argument that may be missing.
WRAPPERS = frozenset(
    {"abs", "fabs", "sqrt", "square", "log", "log1p", "exp", "expm1", "sorted", "reversed", "sign"}
)
WRAPPERS |= {"unique", "nan_to_num", "negative"}
CHOICES = {"left": "right", "right": "left", "greater": "less", "less": "greater", "raise": "ignore"}
INDEX_FUNCTIONS = frozenset({"reshape", "transpose", "arange", "moveaxis", "swapaxes", "expand_dims"})


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes
    ----------
    module : str
        Dotted name of the module.
    function : str
        Qualified name of the innermost function or class, "" at the top of the module.
    kind : str
        Kind of operator: bound, equality, arithmetic, constant, boolean, extremum, function, return,
        arguments, keyword, statement, branch or slice.
    before, after : str
        Excerpt of the source without and with the change.
    occurrence : int
        Number among the mutants that the other fields describe alike, from 1.
    line : int
        First line of the statement that is changed.
    lines : tuple of int
        Lines that tests must run to notice; empty where code is run as the module is imported.
    names : tuple of str
        Names that a change at import time concerns.
    scope : tuple of int
        First and last line of the function.
    """

    module: str
    function: str
    kind: str
    before: str
    after: str
    occurrence: int
    line: int
    lines: tuple[int, ...]
    names: tuple[str, ...]
    scope: tuple[int, int]
    path: tuple[Step, ...]
    new: ast.AST

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What stays the same when lines move."""
        return self.module, self.function, self.before, self.after, self.occurrence


def mutants_of(source: str, module: str) -> list[Mutant]:
    """Return the mutants of a module, in the order of its source."""
    tree = ast.parse(source)
    skipped = {i for i, line in enumerate(source.splitlines(), 1) if "pragma: no cover" in line}
    found: list[Mutant] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for place in _places(tree, _Place(tree, (), (tree,), "", frozenset())):
        if skipped & set(place.statement_lines):
            continue
        for kind, new in _changes(place):
            before, after = _excerpts(place, new)
            if before == after:
                continue
            lines, names = _reached_by(place)
            key = (place.function, before, after)
            seen[key] += 1
            found.append(
                Mutant(
                    module, place.function, kind, before, after, seen[key], place.statement_lines[0],
                    lines, names, place.scope, place.path, new,
                )
            )  # fmt: skip
    return found


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the syntax tree of the source with the change of the mutant; without a path, none."""
    tree = ast.parse(source)
    if mutant.path:
        _put(tree, mutant.path, mutant.new)
    return ast.fix_missing_locations(tree)


@dataclass(frozen=True)
class _Place:
    """A node with the way that leads to it."""

    node: ast.AST
    path: tuple[Step, ...]
    parents: tuple[ast.AST, ...]  # from the module down to the node itself
    function: str
    bound: frozenset[str]  # names the function has bound before, so that a new value can be left out

    @property
    def parent(self) -> ast.AST:
        return self.parents[-2] if len(self.parents) > 1 else self.node

    @property
    def statement(self) -> ast.stmt:
        return next(node for node in reversed(self.parents) if isinstance(node, ast.stmt))

    @property
    def scope(self) -> tuple[int, int]:
        """First and last line of the innermost function; (0, 0) at import time."""
        function = next((node for node in reversed(self.parents) if isinstance(node, Function)), None)
        return (function.lineno, function.end_lineno or function.lineno) if function else (0, 0)

    @property
    def statement_lines(self) -> range:
        """Lines of the statement; of a compound one those of its head."""
        statements = [node for node in self.parents if isinstance(node, ast.stmt)]
        if not statements:
            return range(1, 2)
        last = statements[-1]
        body = getattr(last, "body", None)
        end = body[0].lineno - 1 if body else (last.end_lineno or last.lineno)
        return range(last.lineno, max(end, last.lineno) + 1)


def _name(node: ast.AST) -> str:
    """Return the last part of a dotted name, "" for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _called(node: ast.AST) -> str:
    return _name(node.func) if isinstance(node, ast.Call) else ""


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_prose(node: ast.AST) -> bool:
    """Whether a node is a text that only people read, not a code like "left"."""
    return _is_text(node) and not (isinstance(node, ast.Constant) and str(node.value).isidentifier())


def _left_alone(node: ast.AST) -> bool:
    if isinstance(node, Function):
        return node.name in WRITERS or any(_name(each) == "overload" for each in node.decorator_list)
    if isinstance(node, ast.ClassDef):
        return any(_name(base) == "Protocol" for base in node.bases)
    if isinstance(node, ast.If):
        return _name(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.AnnAssign):
        return "TypeAlias" in ast.unparse(node.annotation)
    if isinstance(node, ast.Assign):
        return _name(node.targets[0]) == "__all__" or _called(node.value) in {"TypeVar", "ParamSpec"}
    if isinstance(node, ast.IfExp):
        return _is_prose(node.body) or _is_prose(node.orelse)
    if isinstance(node, ast.Call):
        name = _called(node)
        return name.endswith(("Error", "Warning")) or name in {"warn", "warn_explicit", "cast", "isinstance"}
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    if isinstance(node, ast.AugAssign):
        return _is_text(node.value)
    if isinstance(node, ast.Subscript):
        return _name(node.value) in {"Literal", "Callable", "dict", "list", "tuple", "set", "NDArray"}
    return isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal)


def _places(node: ast.AST, place: _Place) -> Iterator[_Place]:
    if _left_alone(node):
        return
    yield place
    if isinstance(node, ast.Raise | ast.Assert):
        return
    bound = set(place.bound)
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "bases", "format_spec"}:
            continue
        if isinstance(node, ast.keyword) and node.arg in TUNING:
            continue
        children = value if isinstance(value, list) else [value]
        for i, child in enumerate(children):
            if not isinstance(child, ast.AST):
                continue
            function = place.function
            if isinstance(child, Function | ast.ClassDef):
                function = f"{function}.{child.name}".lstrip(".")
            if isinstance(child, Function):
                bound = {each.arg for each in ast.walk(child.args) if isinstance(each, ast.arg)}
            step = (name, i if isinstance(value, list) else None)
            inner = _Place(child, (*place.path, step), (*place.parents, child), function, frozenset(bound))
            yield from _places(child, inner)
            if isinstance(child, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = child.targets if isinstance(child, ast.Assign) else [child.target]
                bound |= {each.id for t in targets for each in ast.walk(t) if isinstance(each, ast.Name)}


def _changes(place: _Place) -> Iterator[Change]:
    """Yield the changes that can be made at a place."""
    node = place.node
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        yield from _computed(node)
    elif isinstance(node, ast.BoolOp):
        yield "boolean", ast.BoolOp(LOGIC[type(node.op)](), node.values)
        for i in range(len(node.values)):
            rest = [value for j, value in enumerate(node.values) if j != i]
            yield "boolean", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp):
        if not isinstance(node.op, ast.USub) or not isinstance(node.operand, ast.Constant):
            yield "arithmetic" if isinstance(node.op, ast.USub) else "boolean", node.operand
        elif not isinstance(place.parent, ast.Subscript):
            yield "constant", node.operand
    elif isinstance(node, ast.Constant):
        yield from _constant(place, node)
    elif isinstance(node, ast.Call):
        yield from _called_otherwise(node)
    elif isinstance(node, ast.Return):
        yield from _returned(place, node)
    elif isinstance(node, ast.If | ast.IfExp):
        yield from _decided(node)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "branch", ast.comprehension(node.target, node.iter, [], node.is_async)
    elif isinstance(node, ast.Subscript):
        yield from _sliced(node)
    if isinstance(node, ast.stmt) and _may_go(place, node):
        yield "statement", ast.Pass()


def _compared(node: ast.Compare) -> Iterator[Change]:
    for i, op in enumerate(node.ops):
        for kind, table in (("bound", BOUNDS), ("equality", EQUALITIES)):
            if type(op) in table:
                ops = [*node.ops[:i], table[type(op)](), *node.ops[i + 1 :]]
                yield kind, ast.Compare(node.left, ops, node.comparators)


def _computed(node: ast.BinOp | ast.AugAssign) -> Iterator[Change]:
    for kind, table in (("arithmetic", ARITHMETIC), ("boolean", LOGIC)):
        if type(node.op) in table:
            op = table[type(node.op)]()
            if isinstance(node, ast.AugAssign):
                yield kind, ast.AugAssign(node.target, op, node.value)
            else:
                yield kind, ast.BinOp(node.left, op, node.right)


def _constant(place: _Place, node: ast.Constant) -> Iterator[Change]:
    value = node.value
    inside = place.parent
    if isinstance(inside, ast.keyword) and inside.arg in {"axis", "ddof"}:
        yield "keyword", ast.Constant(1 - value if value in (0, 1) else 0)
    elif isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int | float) and not isinstance(inside, ast.Subscript | ast.Slice):
        if _called(place.parents[-3]) not in INDEX_FUNCTIONS:
            yield "constant", ast.Constant(value + 1 if isinstance(value, int) else value * 2 or 1.0)
        if value == 1 and isinstance(value, int):
            yield "constant", ast.Constant(0)
    elif isinstance(value, str) and value in CHOICES and isinstance(inside, ast.keyword | ast.Call):
        yield "keyword", ast.Constant(CHOICES[value])


def _called_otherwise(node: ast.Call) -> Iterator[Change]:
    name, arguments = _called(node), node.args
    for kind, table in (("extremum", EXTREMA), ("function", FUNCTIONS)):
        if name in table and (arguments or isinstance(node.func, ast.Attribute)):
            yield kind, ast.Call(_renamed(node.func, table[name]), arguments, node.keywords)
    plain = not any(isinstance(each, ast.Starred) for each in arguments)
    if name in WRAPPERS and plain and len(arguments) == 1:
        yield "function", arguments[0]
    if name not in SYMMETRIC and name not in EXTREMA and plain:
        for i in range(len(arguments) - 1):
            swapped = [*arguments[:i], arguments[i + 1], arguments[i], *arguments[i + 2 :]]
            if not any(isinstance(each, ast.Constant) for each in arguments[i : i + 2]):
                yield "arguments", ast.Call(node.func, swapped, node.keywords)
    if isinstance(node.func, ast.Attribute) and name[:1].islower():
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in TUNING:
                kept = [each for each in node.keywords if each is not keyword]
                yield "keyword", ast.Call(node.func, arguments, kept)


def _renamed(function: ast.expr, name: str) -> ast.expr:
    if isinstance(function, ast.Attribute):
        return ast.Attribute(function.value, name, function.ctx)
    return ast.Name(name, ast.Load())


def _returned(place: _Place, node: ast.Return) -> Iterator[Change]:
    function = next(each for each in reversed(place.parents) if isinstance(each, Function))
    kind = ast.unparse(function.returns) if function.returns else ""
    if node.value is None or isinstance(node.value, ast.Constant) or _is_text(node.value) or kind == "str":
        return
    if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        first, second, *rest = node.value.elts
        yield "return", ast.Return(ast.Tuple([second, first, *rest], ast.Load()))
    elif kind.startswith("bool"):
        yield "return", ast.Return(ast.UnaryOp(ast.Not(), node.value))
    elif "float" in kind.lower():
        yield "return", ast.Return(ast.UnaryOp(ast.USub(), node.value))
    else:
        yield "return", ast.Return(ast.Constant(None))


def _decided(node: ast.If | ast.IfExp) -> Iterator[Change]:
    for value in (True, False):
        test = ast.Constant(value)
        if isinstance(node, ast.IfExp):
            yield "branch", node.body if value else node.orelse
        else:
            yield "branch", ast.If(test, node.body, node.orelse)


def _sliced(node: ast.Subscript) -> Iterator[Change]:
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for i, part in enumerate(parts):
        for new in _indices(part):
            sequence = [*parts[:i], new, *parts[i + 1 :]]
            index = ast.Tuple(sequence, ast.Load()) if isinstance(node.slice, ast.Tuple) else new
            yield "slice", ast.Subscript(node.value, index, node.ctx)


def _indices(part: ast.expr) -> Iterator[ast.expr]:
    if isinstance(part, ast.Slice):
        if part.lower is not None:
            yield ast.Slice(_shifted(part.lower, 1), part.upper, part.step)
        elif part.upper is not None:
            yield ast.Slice(ast.Constant(1), part.upper, part.step)
        if part.upper is not None:
            yield ast.Slice(part.lower, _shifted(part.upper, -1), part.step)
        elif part.lower is not None:
            yield ast.Slice(part.lower, ast.Constant(-1), part.step)
    elif isinstance(part, ast.Constant) and type(part.value) is int:
        yield _shifted(part, 1)
    elif isinstance(part, ast.UnaryOp) and isinstance(part.operand, ast.Constant):
        yield _shifted(part, -1)


def _shifted(index: ast.expr, by: int) -> ast.expr:
    try:
        value = ast.literal_eval(index)
    except ValueError:
        return ast.BinOp(index, ast.Add() if by > 0 else ast.Sub(), ast.Constant(1))
    return ast.Constant(value + by)


def _may_go(place: _Place, node: ast.stmt) -> bool:
    """Whether a statement can be left out without making the next ones fail for want of a name."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Raise | ast.Continue | ast.AugAssign):
        return True
    if isinstance(node, ast.Assign):
        names = [each.id for t in node.targets for each in ast.walk(t) if isinstance(each, ast.Name)]
        stored = all(isinstance(target, ast.Subscript | ast.Attribute) for target in node.targets)
        return stored or (bool(names) and set(names) <= place.bound)
    return False


def _put(tree: ast.AST, path: tuple[Step, ...], new: ast.AST) -> None:
    for name, index in path[:-1]:
        tree = getattr(tree, name) if index is None else getattr(tree, name)[index]
    name, index = path[-1]
    if index is None:
        setattr(tree, name, new)
    else:
        getattr(tree, name)[index] = new


def _excerpts(place: _Place, new: ast.AST) -> tuple[str, str]:
    """Return the largest part of the statement around the change that is short, before and after."""
    chain = [(place.node, ast.copy_location(new, place.node))]
    for node, (name, index) in zip(reversed(place.parents[:-1]), reversed(place.path), strict=True):
        if isinstance(chain[-1][0], ast.stmt) or isinstance(node, ast.Module | Function | ast.ClassDef):
            break
        fields = dict(ast.iter_fields(node))
        inner = chain[-1][1]
        if index is None:
            fields[name] = inner
        else:
            fields[name] = [*fields[name][:index], inner, *fields[name][index + 1 :]]
        chain.append((node, ast.copy_location(type(node)(**fields), node)))
    best = tuple(_text(each) for each in chain[0])
    for before, after in chain[1:]:
        pair = _text(before), _text(after)
        if max(map(len, pair)) > EXCERPT:
            break
        best = pair
    return best


def _text(node: ast.AST) -> str:
    """Return the source of a node on one line; of a compound statement its head."""
    if isinstance(node, ast.If):
        return f"if {_text(node.test)}"
    if isinstance(node, ast.stmt) and hasattr(node, "body"):
        head = type(node)(**{**dict(ast.iter_fields(node)), "body": [ast.Pass()]})
        node = ast.copy_location(head, node)
    text = ast.unparse(node)
    return " ".join(text.split()).removesuffix(": pass")


def _reached_by(place: _Place) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the lines whose execution a change needs, or the names by which it is reached."""
    for i in range(len(place.parents) - 1, -1, -1):
        node = place.parents[i]
        if not isinstance(node, Function):
            continue
        step = place.path[i][0] if i < len(place.path) else ""
        if step == "body":
            return tuple(place.statement_lines), ()
        # The value of a default is computed once, and used where the function runs.
        last = node.end_lineno or node.lineno
        return tuple(range(node.body[0].lineno, last + 1)), ()
    statement = place.statement if any(isinstance(p, ast.stmt) for p in place.parents) else place.node
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    names = {_name(each) for t in targets if t is not None for each in ast.walk(t)} - {""}
    return (), tuple(sorted(names))

"""Chat templates, parsed and never rendered: what in them reaches for more than the conversation.

Whoever serves the model renders its template. An honest one reads messages, calls methods of strings, lists and
mappings, and a few functions that the renderer gives it; anything else is a finding.
"""

from collections.abc import Iterable, Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import (
    UNSAFE_ASYNC_GENERATOR_ATTRIBUTES,
    UNSAFE_COROUTINE_ATTRIBUTES,
    UNSAFE_FUNCTION_ATTRIBUTES,
    UNSAFE_GENERATOR_ATTRIBUTES,
    UNSAFE_METHOD_ATTRIBUTES,
)

from tunegate.scan.weights.findings import FileReport, shown

TEMPLATE_CHARACTERS = 256 * 1024

_FUNCTIONS = frozenset({"raise_exception", "strftime_now", "range", "namespace", "dict", "caller", "loop"})
"""What renderers of chat templates give them, besides their own macros."""
_METHODS = {name for kind in (str, list, dict) for name in dir(kind) if not name.startswith(("_", "format"))}
_METHODS |= {"cycle", "changed"}  # of the variable `loop`
_ATTRIBUTES = (
    frozenset({"mro", "os", "popen", "subprocess", "importlib", "builtins", "environ", "modules"})
    | frozenset(UNSAFE_FUNCTION_ATTRIBUTES)
    | frozenset(UNSAFE_METHOD_ATTRIBUTES)
    | frozenset(UNSAFE_GENERATOR_ATTRIBUTES)
    | frozenset(UNSAFE_COROUTINE_ATTRIBUTES)
    | frozenset(UNSAFE_ASYNC_GENERATOR_ATTRIBUTES)
    | {"func_globals", "func_code", "f_globals", "f_locals", "f_builtins", "f_back", "tb_frame"}
)
_NAMES = frozenset(
    {"os", "sys", "subprocess", "importlib", "builtins", "eval", "exec", "open", "compile", "getattr", "globals"}
    | {"self", "lipsum", "cycler", "joiner", "request", "url_for", "get_flashed_messages"}
)
_NAMES_FIRST = frozenset({"map", "selectattr", "rejectattr", "groupby"})
_TAKES_ATTRIBUTE = _NAMES_FIRST | {"sort", "sum", "unique", "min", "max", "join"}
_LOADS = (nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)


class _Generation(Extension):
    """The block `{% generation %}`, by which trainers mark what the model says; it only wraps."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 reads it from the class

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


_PARSER = Environment(extensions=[loopcontrols, _Generation], autoescape=False)  # noqa: S701 - it renders nothing


def examine_template(source: str, report: FileReport, where: str = "") -> None:
    """Judge one template; `where` says which of the file's, in words that follow a finding."""
    if len(source) > TEMPLATE_CHARACTERS:
        report.malformed("template", f"a template of more than {TEMPLATE_CHARACTERS} characters{where}")
        return
    try:
        tree = _PARSER.parse(source)
    except TemplateSyntaxError as error:
        report.malformed("template", f"a template that cannot be parsed, at line {error.lineno}{where}")
        if "__" in source:
            report.unsafe("template", f"a template that cannot be parsed names attributes with underscores{where}")
        return
    except (RecursionError, ValueError, OverflowError, MemoryError):
        report.unsafe("template", f"a template nested too deep to be parsed{where}")
        return
    for line, what in sorted(dict.fromkeys(_faults(tree))):
        report.unsafe("template", f"a template{where} {what}, at its line {line}")


def _faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    every = list(_nodes(tree))
    own = {node.name for node in every if isinstance(node, nodes.Macro)}
    own_names = own | {node.name for node in every if isinstance(node, nodes.Name) and node.ctx != "load"}
    for node in every:
        yield from ((node.lineno, what) for what in _node_faults(node, own, own_names))


def _nodes(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Every node; no recursion, as a template may be deeper than the stack."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.iter_child_nodes()


def _node_faults(node: nodes.Node, macros: set[str], own_names: set[str]) -> Iterator[str]:
    if isinstance(node, nodes.Getattr):
        yield from _attribute(node.attr)
    elif isinstance(node, nodes.Getitem):
        yield from _attribute(_folded(node.arg))
    elif isinstance(node, nodes.Call):
        yield from _call(node, macros)
    elif isinstance(node, nodes.Filter | nodes.Test):
        yield from _filter(node)
    elif isinstance(node, nodes.Name):
        if node.name in _NAMES - own_names or node.name.startswith("__"):
            yield f"reaches for {shown(node.name)}"
    elif isinstance(node, nodes.Concat | nodes.Add):
        yield from _attribute(_folded(node), only_hidden=True)
    elif isinstance(node, _LOADS):
        yield "loads another template"


def _attribute(name: str | None, only_hidden: bool = False) -> Iterator[str]:
    """`name` None is one that the template computes as it runs: fine to read by, and never called."""
    if name is None:
        return
    if _is_hidden(name) or (not only_hidden and name in _ATTRIBUTES):
        yield f"reaches for the attribute {shown(name)}"


def _is_hidden(name: str) -> bool:
    bare = name.strip()
    return bare.startswith("__") and bare.strip("_").isidentifier()


def _call(node: nodes.Call, macros: set[str]) -> Iterator[str]:
    target = node.node
    if isinstance(target, nodes.Name):
        if target.name not in _FUNCTIONS | macros:
            yield f"calls {shown(target.name)}"
    elif isinstance(target, nodes.Getattr):
        if target.attr in ("format", "format_map"):
            if not _is_plain_format(target.node):
                yield "formats a string that may reach for attributes"
        elif target.attr not in _METHODS:
            yield f"calls the method {shown(target.attr)}"
    else:
        yield "calls what it has computed"


def _is_plain_format(node: nodes.Node) -> bool:
    text = _folded(node)
    return text is not None and not {".", "["} & set("".join(part.split("}")[0] for part in text.split("{")[1:]))


def _filter(node: nodes.Filter | nodes.Test) -> Iterator[str]:
    if node.name == "attr":
        yield "reaches for attributes by the filter attr"
    if isinstance(node, nodes.Filter) and node.name in _TAKES_ATTRIBUTE:
        for name in _attribute_arguments(node):
            if name is None:
                yield f"computes what the filter {node.name} reaches for"
            elif any(_is_hidden(part) or part in _ATTRIBUTES for part in name.split(".")) or name == "attr":
                yield f"reaches for the attribute {shown(name)} by the filter {node.name}"


def _attribute_arguments(node: nodes.Filter) -> Iterable[str | None]:
    named = [pair.value for pair in node.kwargs if pair.key == "attribute"]
    positional = node.args[:1] if node.name in _NAMES_FIRST else []
    return [_folded(value) for value in (*positional, *named) if not _is_number(value)]


def _is_number(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, int)


def _folded(node: nodes.Node) -> str | None:
    """The string that a node is, also when written in parts; None where only rendering would tell.

    Numbers and slices are no names, and give an empty string.
    """
    if isinstance(node, nodes.Slice) or _is_number(node):
        return ""
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else ""
    parts: list[nodes.Node] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, nodes.Concat):
            waiting += reversed(part.nodes)
        elif isinstance(part, nodes.Add):
            waiting += (part.right, part.left)
        else:
            parts.append(part)
    texts = [part.value for part in parts if isinstance(part, nodes.Const) and isinstance(part.value, str)]
    return "".join(texts) if len(texts) == len(parts) else None

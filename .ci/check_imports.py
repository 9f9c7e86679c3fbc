#!/usr/bin/env python3
"""Checks that no modules of a crate import each other in a circle.

    .ci/check_imports.py [CRATE_FOLDER ...]      default: every crate of this repository

The check reads every module that is reachable from `src/lib.rs` and `src/main.rs`, except modules
and imports under `#[cfg(test)]`. An import is a path in a `use` declaration or a path with two or
more segments elsewhere in the code. Every import is resolved through re-exports to the module that
defines the item, so a module that only declares and re-exports its children is never part of a
circle.

A folder is a module too. At every module, the graph of its children, and of the module itself, has an
edge from one child to another where any file below the first imports an item defined below the second.
Each of these graphs must be acyclic. This implies that the graph of the files is acyclic.

`cargo modules dependencies --acyclic` answers a similar question, but its graph is of items rather than
of modules and lacks the paths in function bodies, it stops at the first cycle, and it has to build
rust-analyzer first.

Prints each circle with the imports that close it, and exits with 1 if there is a circle.
"""

import os
import re
import subprocess
import sys

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<comment>/\*)
  | (?P<raw>b?c?r(?P<hashes>\#*)")
  | (?P<string>[bc]?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x..|.))')
  | (?P<lifetime>'\w+)
  | (?P<word>(?:r\#)?[^\W\d]\w*)
  | (?P<number>\d\w*)
  | (?P<colons>::)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

DEFINING = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}


def tokenize(text):
    """The tokens of a Rust file as (text, line) pairs, without comments and strings."""
    tokens, position, line = [], 0, 1
    while position < len(text):
        match = TOKEN.match(text, position)
        end = match.end()
        if match["comment"]:
            depth = 1
            while depth and end < len(text):
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
        elif match["raw"]:
            closing = '"' + match["hashes"]
            end = text.index(closing, end) + len(closing)
        elif match["string"] or match["char"]:
            tokens.append(('""', line))
        elif not match["space"]:
            tokens.append((match[0].removeprefix("r#"), line))
        line += text.count("\n", position, end)
        position = end
    return tokens


class Module:
    """One module: its names, and the paths that its code mentions."""

    def __init__(self, name, parent, file):
        self.name = name
        self.parent = parent
        self.file = file
        self.children = {}
        self.defined = set()
        self.imported = {}  # name -> list of paths
        self.globs = []  # (path, line)
        self.paths = []  # (path, line, text), to be resolved
        self.words = {}  # word -> first line, for names that come from glob imports

    def root(self):
        return self.parent.root() if self.parent else self

    def path(self):
        return [*self.parent.path(), self.name] if self.parent else []

    def __str__(self):
        return "::".join(self.path()) or "crate root"

    def descendants(self):
        yield self
        for child in self.children.values():
            yield from child.descendants()


def closing(tokens, start):
    """The index after the bracket that closes the one at `start`."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index][0] in pairs:
            depth += 1
        elif tokens[index][0] in pairs.values():
            depth -= 1
            if depth == 0:
                return index + 1
    return len(tokens)


def item_end(tokens, start):
    """The index after the item at `start`: after its `;`, or after its braces."""
    index = start
    while index < len(tokens):
        token = tokens[index][0]
        if token == ";":
            return index + 1
        if token == "{":
            return closing(tokens, index)
        if token == "}":
            return index
        index = closing(tokens, index) if token in "([" else index + 1
    return index


def use_tree(tokens, index, prefix, found):
    """Parses one use tree into `found`, a list of (path, alias, line); returns the index after it."""
    path = list(prefix)
    if tokens[index][0] == "::":
        path, index = ["::"], index + 1
    while True:
        token, line = tokens[index]
        if token == "{":
            index += 1
            while tokens[index][0] != "}":
                index = use_tree(tokens, index, path, found)
                if tokens[index][0] == ",":
                    index += 1
            return index + 1
        if token == "*":
            found.append(([*path, "*"], None, line))
            return index + 1
        if not (token == "self" and path):
            path.append(token)
        index += 1
        if tokens[index][0] == "::":
            index += 1
            continue
        alias = path[-1]
        if tokens[index][0] == "as":
            alias, index = tokens[index + 1][0], index + 2
        found.append((path, alias, line))
        return index


def is_test(attribute):
    """Whether an attribute, without its brackets, compiles its item for tests only."""
    words = [token for token, _ in attribute]
    return words[:3] == ["cfg", "(", "test"] or words[:5] == ["cfg", "(", "all", "(", "test"]


def child_file(module, name):
    """The file of `mod name;` in `module`."""
    folder = os.path.dirname(module.file)
    if os.path.basename(module.file) not in ("mod.rs", "lib.rs", "main.rs"):
        folder = os.path.splitext(module.file)[0]
    for candidate in (f"{name}.rs", os.path.join(name, "mod.rs")):
        if os.path.exists(os.path.join(folder, candidate)):
            return os.path.join(folder, candidate)
    return None


def read(name, parent, file):
    """The module in `file`, with all modules below it."""
    module = Module(name, parent, file)
    with open(file, encoding="utf-8") as source:
        parse(module, tokenize(source.read()))
    return module


def parse(module, tokens):
    """Reads the tokens of a module's body into it, and the modules that it declares."""
    index, depth, exported = 0, 0, False
    while index < len(tokens):
        token, line = tokens[index]
        following = tokens[index + 1][0] if index + 1 < len(tokens) else ""
        if token == "#" and (following == "[" or following == "!"):
            start = index + 1 + (following == "!")
            end = closing(tokens, start)
            attribute = tokens[start + 1 : end - 1]
            exported = exported or [word for word, _ in attribute][:1] == ["macro_export"]
            if is_test(attribute) and following == "[":
                while end < len(tokens) and tokens[end][0] == "#":
                    end = closing(tokens, end + 1)
                end = item_end(tokens, end)
            index = end
            continue
        if token == "pub" and following == "(":
            index = closing(tokens, index + 1)
            continue
        if token == "use":
            found = []
            index = use_tree(tokens, index + 1, [], found)
            for path, alias, line in found:
                if alias is None:
                    module.globs.append((path[:-1], line))
                else:
                    if alias != "_":
                        module.imported.setdefault(alias, []).append(path)
                    module.paths.append((path, line, "use " + "::".join(path)))
            continue
        if token == "mod" and depth == 0 and re.match(r"\w", following):
            body = tokens[index + 2][0]
            if body == "{":
                end = closing(tokens, index + 2)
                child = Module(following, module, module.file)
                parse(child, tokens[index + 3 : end - 1])
                module.children[following] = child
                index = end
                continue
            file = child_file(module, following)
            if file:
                module.children[following] = read(following, module, file)
            index += 2
            continue
        if depth == 0 and token in DEFINING and re.match(r"\w", following):
            module.defined.add(following)
        if token == "macro_rules" and following == "!":
            name = tokens[index + 2][0]
            module.defined.add(name)
            if exported:
                exported = False
                if module.parent:
                    module.root().imported.setdefault(name, []).append(
                        ["crate", *module.path(), name]
                    )
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
        if re.match(r"[^\W\d]", token):
            module.words.setdefault(token, line)
            previous = tokens[index - 1][0] if index else ""
            if following == "::" and previous not in ("::", "."):
                path, end = [token], index + 1
                while end + 1 < len(tokens) and tokens[end][0] == "::":
                    if not re.match(r"[^\W\d]", tokens[end + 1][0]):
                        break
                    path.append(tokens[end + 1][0])
                    end += 2
                if len(path) > 1:
                    module.paths.append((path, line, "::".join(path)))
                index = max(end, index + 1)
                continue
        index += 1


def lookup(module, name, seen):
    """All that `name` means in the scope of `module`: modules, and (module, name) of definitions."""
    if (id(module), name) in seen:
        return []
    seen = seen | {(id(module), name)}
    found = []
    if name in module.defined:
        found.append((module, name))
    if name in module.children:
        found.append(module.children[name])
    for path in module.imported.get(name, []):
        found.extend(resolve(module, path, seen))
    if not found:
        for path, _ in module.globs:
            for target in resolve(module, path, seen):
                if isinstance(target, Module):
                    found.extend(lookup(target, name, seen))
    return found


def resolve(module, path, seen=frozenset()):
    """The modules and definitions that a path means; none for another crate's.

    A function may have the name of a module. Before a `::`, the name means the module.
    """
    first, rest = path[0], path[1:]
    if first == "::" or first == "Self":
        return []
    if first == "crate":
        targets = [module.root()]
    elif first == "self":
        targets = [module]
    elif first == "super":
        targets = [module.parent] if module.parent else []
    else:
        targets = lookup(module, first, seen)
    for segment in rest:
        modules = [target for target in targets if isinstance(target, Module)]
        targets = modules or targets
        following = []
        for target in targets:
            if not isinstance(target, Module):
                following.append(target)  # an associated item, or a variant
            elif segment == "super":
                following.extend([target.parent] if target.parent else [])
            else:
                following.extend(lookup(target, segment, seen))
        targets = following
    return targets


def imports(root):
    """All imports from one module to another, as {(from, to): (line, text)}, the first of each pair."""
    edges = {}
    for module in root.descendants():
        found = []
        for path, line, text in module.paths:
            found += [(target, line, text) for target in resolve(module, path)]
        local = module.defined | set(module.children) | set(module.imported)
        for path, line in module.globs:
            for target in resolve(module, path):
                if not isinstance(target, Module):
                    found.append((target, line, "use " + "::".join([*path, "*"])))
                    continue
                for word in sorted(set(module.words) - local):
                    text = "::".join([*path, word])
                    found += [(item, module.words[word], text) for item in lookup(target, word, frozenset())]
        for target, line, text in found:
            if not isinstance(target, Module) and target[0] is not module:
                edges.setdefault((module, target[0]), (line, text))
    return edges


def components(nodes, successors):
    """The strongly connected components of more than one node (Tarjan 1972)."""
    index, low, stack, on_stack, result = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in successors.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = []
            while True:
                member = stack.pop()
                on_stack.discard(member)
                component.append(member)
                if member is node:
                    break
            if len(component) > 1:
                result.append(component)

    for node in nodes:
        if node not in index:
            visit(node)
    return result


def circles(root):
    """Every circle: the modules in it, and the imports between them as (from, to, line, text)."""
    graphs = {}  # common ancestor -> {(child, child): imports}
    for (source, target), (line, text) in imports(root).items():
        if source.file == target.file:  # an inline module and the module around it
            continue
        above, below = source.path(), target.path()
        common = 0
        while common < min(len(above), len(below)) and above[common] == below[common]:
            common += 1
        key = tuple(above[:common])
        ends = tuple("::".join(path[: common + 1]) or "crate root" for path in (above, below))
        graphs.setdefault(key, {}).setdefault(ends, []).append((source, target, line, text))
    result = []
    for key in sorted(graphs):
        graph = graphs[key]
        successors = {}
        for source, target in graph:
            successors.setdefault(source, []).append(target)
        for component in components(sorted(successors), successors):
            tying = [
                edge
                for (source, target), edges in graph.items()
                if source in component and target in component
                for edge in edges
            ]
            result.append((sorted(component), tying))
    return result


def roots(folder):
    """The root modules of the crate in `folder`: its library and its program."""
    for name in ("lib.rs", "main.rs"):
        file = os.path.join(folder, "src", name)
        if os.path.exists(file):
            yield read("crate", None, file)


def report(folder):
    """Prints the circles of the crate in `folder` and returns their number."""
    count = 0
    for root in roots(folder):
        for modules, edges in circles(root):
            count += 1
            print(f"{folder}: these modules import each other: {', '.join(modules)}")
            for source, target, line, text in sorted(edges, key=lambda edge: (edge[0].file, edge[2])):
                print(f"    {source.file}:{line}: {text}  (defined in {target})")
    return count


def main(arguments):
    folders = arguments
    if not folders:
        os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
        listed = subprocess.run(
            ["git", "ls-files", "--", "Cargo.toml", "*/Cargo.toml"],
            check=True, capture_output=True, text=True,
        )
        folders = sorted(os.path.dirname(line) or "." for line in listed.stdout.splitlines())
    found = sum(report(folder) for folder in folders)
    print(f"{found} circles of imports")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

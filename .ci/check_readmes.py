#!/usr/bin/env python3
"""Checks that README.md and README.zh.md agree, and that the targets of links between documents exist.

The two READMEs must have the same headings (number, levels, order), and below each heading the same
fenced code blocks, the same commands and names in backticks in the tables, and the same link targets,
each in the same order. The check does not compare the prose.

In every Markdown file of the repository, the file of a relative link and the heading of an anchor must
exist. Prints each difference and broken link, and exits with 1 if there is one.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

ENGLISH, CHINESE = "README.md", "README.zh.md"

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)")
DEFINITION = re.compile(r"^\s*\[[^\]]+\]:\s*<?(\S+?)>?\s*$")
HTML = re.compile(r"""(?:src|href)=["']([^"']+)["']""")
CODE = re.compile(r"`+[^`]+`+")


@dataclass
class Section:
    """A heading and the text up to the next one. The section before the first heading has level 0."""

    level: int
    title: str
    line: int
    blocks: list = field(default_factory=list)
    names: list = field(default_factory=list)
    links: list = field(default_factory=list)


def sections(text):
    """The sections of a Markdown text."""
    found = [Section(0, "", 1)]
    fence, block = None, []
    for number, line in enumerate(text.splitlines(), 1):
        opened = re.match(r"\s*(```+|~~~+)", line)
        if fence:
            block.append(line)
            if opened and line.strip() == fence:
                found[-1].blocks.append("\n".join(block))
                fence = None
            continue
        if opened:
            fence, block = opened[1], [line]
            continue
        heading = re.match(r"(#{1,6})\s+(.*?)\s*#*\s*$", line)
        if heading:
            found.append(Section(len(heading[1]), heading[2], number))
            continue
        if line.lstrip().startswith("|"):
            found[-1].names += CODE.findall(line)
        plain = CODE.sub(lambda code: " " * len(code[0]), line)
        for pattern in (LINK, DEFINITION, HTML):
            found[-1].links += pattern.findall(plain)
    return found


def slug(title):
    """The anchor that GitHub gives to a heading."""
    title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def differences(english, chinese):
    """What differs between the two READMEs, given as texts."""
    ours, theirs = sections(english), sections(chinese)
    levels = [[section.level for section in each] for each in (ours, theirs)]
    if levels[0] != levels[1]:
        for a, b in zip(ours, theirs):
            if a.level != b.level:
                return [f"heading {a.title!r} (line {a.line}) has level {a.level}, "
                        f"{b.title!r} (line {b.line}) has level {b.level}"]
        return [f"{len(ours) - 1} headings in {ENGLISH}, {len(theirs) - 1} in {CHINESE}"]
    found = []
    swapped = {ENGLISH: CHINESE, CHINESE: ENGLISH}
    for a, b in zip(ours, theirs):
        where = f"below {a.title!r} / {b.title!r} (lines {a.line}, {b.line})"
        for kind, left, right in (
            ("code blocks", a.blocks, b.blocks),
            ("names in tables", a.names, b.names),
            # An anchor is a translated heading.
            ("links", [link.partition("#")[0] for link in a.links],
             [swapped.get(link, link).partition("#")[0] for link in b.links]),
        ):
            if left != right:
                only = [f"    only in {name}: {item}" for name, item in
                        [(ENGLISH, x) for x in left if x not in right]
                        + [(CHINESE, x) for x in right if x not in left]]
                found.append("\n".join([f"{where}: different {kind}", *only]))
    return found


def broken_links(path, read):
    """The links of the Markdown file `path` that lead nowhere; `read` returns a file's text, or None."""
    found = []
    for section in sections(read(path)):
        for link in section.links:
            if re.match(r"[a-z][a-z+.-]*:", link) or link.startswith("//") or "::" in link:
                continue
            file, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not os.path.exists(target):
                found.append(f"{path}: no file {link}")
            elif anchor and target.endswith(".md"):
                anchors = {slug(section.title) for section in sections(read(target))}
                if anchor not in anchors:
                    found.append(f"{path}: no heading {link}")
    return found


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        check=True, capture_output=True, text=True,
    )
    files = [path for path in listed.stdout.splitlines() if os.path.exists(path)]
    found = differences(read(ENGLISH), read(CHINESE))
    for path in files:
        found += broken_links(path, read)
    for line in found:
        print(line)
    print(f"{len(files)} Markdown files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

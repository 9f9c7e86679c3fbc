"""Tests of check_readmes.py: `python3 -m unittest discover .ci`."""

import os
import tempfile
import unittest

import check_readmes

ENGLISH = """# Title

[中文](README.zh.md), [docs](docs/a.md#part)

```sh
cargo test
```

## Commands

| command | what |
|---|---|
| `run x` | runs `x` |
"""

CHINESE = """# 标题

[English](README.md)、[文档](docs/a.md#部分)

```sh
cargo test
```

## 命令

| 命令 | 说明 |
|---|---|
| `run x` | 运行 `x` |
"""


class Differences(unittest.TestCase):
    def found(self, old, new):
        self.assertIn(old, CHINESE)
        return check_readmes.differences(ENGLISH, CHINESE.replace(old, new))

    def test_a_translation(self):
        self.assertEqual(check_readmes.differences(ENGLISH, CHINESE), [])

    def test_each_difference_is_reported(self):
        for old, new, expected in [
            ("cargo test", "cargo build", "code blocks"),
            ("```sh", "```text", "code blocks"),
            ("`run x`", "`run y`", "names in tables"),
            ("docs/a.md", "docs/b.md", "links"),
            ("[English](README.md)", "", "links"),
            ("## 命令", "### 命令", "level 3"),
            ("## 命令", "", "headings"),
        ]:
            with self.subTest(old=old, new=new):
                (difference,) = self.found(old, new)
                self.assertIn(expected, difference)

    def test_a_heading_in_a_code_block_is_none(self):
        text = "# One\n\n```sh\n# comment\n```\n"
        self.assertEqual([section.level for section in check_readmes.sections(text)], [0, 1])


class Links(unittest.TestCase):
    def test_broken_ones_are_found(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "docs"))
            files = {
                "README.md": "# Top one\n[a](docs/a.md) [b](docs/b.md) [c](docs/a.md#the-part-of-f43)\n"
                "[d](docs/a.md#none) [e](#top-one) [f](https://example.com/x) `[g](nowhere.md)`\n"
                "![h](none.svg)\n[i]: docs\n[j](crate::x)\n\n```text\n[k](nowhere.md)\n```\n",
                "docs/a.md": "## The part of `F(4,3)`\n[up](../README.md) [no](README.md)\n",
            }
            for name, text in files.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            found = []
            before = os.getcwd()
            os.chdir(folder)
            try:
                for name in files:
                    found += check_readmes.broken_links(name, check_readmes.read)
            finally:
                os.chdir(before)
            self.assertEqual(found, [
                "README.md: no file docs/b.md",
                "README.md: no heading docs/a.md#none",
                "README.md: no file none.svg",
                "docs/a.md: no file README.md",
            ])


if __name__ == "__main__":
    unittest.main()

"""Tests of check_imports.py on small crates: `python3 -m unittest discover .ci`."""

import os
import tempfile
import unittest

import check_imports


def found(files):
    """The circles of a crate with these files, each as the list of its modules."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = os.path.join(folder, "src", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return [
            modules for root in check_imports.roots(folder) for modules, _ in check_imports.circles(root)
        ]


class Circles(unittest.TestCase):
    def test_one_direction_is_no_circle(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B; pub struct A(B);",
            "b.rs": "pub struct B;",
        }), [])

    def test_two_files_import_each_other(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B; pub struct A(B);",
            "b.rs": "use super::a::A; pub struct B; fn f(_: A) {}",
        }), [["a", "b"]])

    def test_three_files_import_each_other_in_a_ring(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b; mod c; mod d;",
            "a.rs": "use crate::{b::B}; pub struct A;",
            "b.rs": "use crate::c::{self, C as D}; pub struct B;",
            "c.rs": "pub struct C; fn f() { let _ = crate::a::A; }",
            "d.rs": "use crate::a::A;",
        }), [["a", "b", "c"]])

    def test_a_path_in_the_code_is_an_import(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use super::b; pub fn f() { b::g() }",
            "b.rs": "pub fn g() { crate::a::f() }",
        }), [["a", "b"]])

    def test_a_function_may_have_the_name_of_a_module(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b; mod c; pub use b::a;",
            "a.rs": "pub struct A;",
            "b.rs": "use super::c::C; pub fn a(_: C) {}",
            "c.rs": "use super::a::A; pub struct C(A);",
        }), [])

    def test_the_name_of_a_module_is_no_import_of_its_items(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use super::b; pub fn f() {}",
            "b.rs": "use super::a::f;",
        }), [])

    def test_a_module_that_only_re_exports_is_in_no_circle(self):
        self.assertEqual(found({
            "lib.rs": "mod a;",
            "a/mod.rs": "mod x; mod y; pub use x::X; pub(crate) use y::*;",
            "a/x.rs": "use super::Y; pub struct X(Y);",
            "a/y.rs": "pub struct Y;",
        }), [])

    def test_an_import_through_a_re_export_belongs_to_the_file_that_defines_it(self):
        self.assertEqual(found({
            "lib.rs": "mod a;",
            "a/mod.rs": "mod x; mod y; pub use x::X; pub use y::*;",
            "a/x.rs": "use super::Y; pub struct X(Y);",
            "a/y.rs": "use crate::a::X; pub struct Y; fn f(_: X) {}",
        }), [["a::x", "a::y"]])

    def test_an_item_that_mod_rs_defines_counts(self):
        self.assertEqual(found({
            "lib.rs": "mod a;",
            "a/mod.rs": "mod x; pub use x::X; pub struct Shared;",
            "a/x.rs": "use super::Shared; pub struct X(Shared);",
        }), [["a", "a::x"]])

    def test_the_crate_root_is_a_module(self):
        self.assertEqual(found({
            "lib.rs": "mod a; pub use a::A; pub const N: usize = 1;",
            "a.rs": "pub struct A([u8; crate::N]);",
        }), [["a", "crate root"]])

    def test_folders_whose_files_import_each_other(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a/mod.rs": "pub mod x; pub mod y;",
            "a/x.rs": "use crate::b::z::Z;",
            "a/y.rs": "pub struct Y;",
            "b/mod.rs": "pub mod z; pub mod w;",
            "b/z.rs": "pub struct Z;",
            "b/w.rs": "use crate::a::y::Y;",
        }), [["a", "b"]])

    def test_glob_imports_count_the_names_that_are_used(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b; mod c;",
            "a.rs": "use crate::b::*; pub struct A(B);",
            "b.rs": "use crate::c::*; pub struct B; fn f(_: C) {}",
            "c.rs": "use crate::a::*; pub struct C;",
        }), [])
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::*; pub struct A(B);",
            "b.rs": "use crate::a::*; pub struct B; fn f(_: A) {}",
        }), [["a", "b"]])

    def test_variants_belong_to_the_file_of_their_enum(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::Kind::*; pub struct A;",
            "b.rs": "pub enum Kind { One } fn f() { crate::a::A; }",
        }), [["a", "b"]])

    def test_macros(self):
        self.assertEqual(found({
            "lib.rs": "#[macro_use] mod a; mod b;",
            "a.rs": "use crate::b::B; macro_rules! local { () => {} } pub(crate) use local;",
            "b.rs": "use crate::a::local; pub struct B;",
        }), [["a", "b"]])
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B; #[macro_export] macro_rules! exported { () => {} }",
            "b.rs": "pub struct B; fn f() { crate::exported!() }",
        }), [["a", "b"]])

    def test_an_inline_module_is_part_of_its_file(self):
        self.assertEqual(found({
            "lib.rs": "mod a;",
            "a.rs": "pub mod inner { use super::A; pub struct I(A); } use inner::I; pub struct A;",
        }), [])
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "pub mod inner { use super::super::b::B; } pub struct A;",
            "b.rs": "use crate::a::A; pub struct B;",
        }), [["a", "b"]])


class Ignored(unittest.TestCase):
    def test_tests(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b; #[cfg(test)] mod tests;",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": """
                pub struct B;
                #[cfg(test)]
                use crate::a::A;
                #[cfg(all(test, feature = "x"))]
                #[allow(dead_code)]
                mod tests { use crate::a::A; }
            """,
            "tests.rs": "use crate::a::A;",
        }), [])

    def test_comments_strings_and_visibility(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": r'''
                //! [`A`](crate::a::A)
                /* use crate::a::A; /* nested */ use crate::a::A; */
                pub(in crate::a) struct B<'a>(&'a str);
                const TEXT: &str = "use crate::a::A; \" use crate::a::A;";
                const RAW: &str = r#"use crate::a::A; " use crate::a::A;"#;
                const QUOTES: [char; 2] = ['"', '\''];
            ''',
        }), [])

    def test_other_crates(self):
        self.assertEqual(found({
            "lib.rs": "mod a; mod image;",
            "a.rs": "use image::Pixel; use ::image::Rgb; use std::fmt; pub struct A;",
            "image.rs": "use crate::a::A; pub struct Pixel; pub struct Rgb;",
        }), [])


class Report(unittest.TestCase):
    def test_lines_and_definitions(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "src"))
            for name, text in {
                "lib.rs": "mod a;\nmod b;\npub use b::B;\n",
                "a.rs": "// first line\nuse crate::B;\npub struct A(B);\n",
                "b.rs": "pub struct B;\nimpl B {\n    fn f(_: crate::a::A) {}\n}\n",
            }.items():
                with open(os.path.join(folder, "src", name), "w", encoding="utf-8") as file:
                    file.write(text)
            (root,) = check_imports.roots(folder)
            ((modules, edges),) = check_imports.circles(root)
            self.assertEqual(modules, ["a", "b"])
            self.assertEqual(
                [(str(source), str(target), line, text) for source, target, line, text in edges],
                [("a", "b", 2, "use crate::B"), ("b", "a", 3, "crate::a::A")],
            )


if __name__ == "__main__":
    unittest.main()

//! Scan of a pickle: its opcodes run on the sizes of values instead of on values.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use super::stop::Stop;
use super::value::{Kind, Small, Value};

/// Most values that a pickle puts on its stack: 60 for each tensor of a network of 60,000 tensors.
const MAX_VALUES: u64 = 4_000_000;

/// Most bytes that a pickle copies from and to its memo, and most bytes of all tensor names.
const MAX_COPIED: u64 = 128 << 20;

/// Largest pickle in an archive, in bytes. A compressed one may be a thousand times longer than its
/// archive.
pub const MAX_PICKLE: u64 = 100 << 20;

/// The stack machine.
#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    /// Number of values and marks that were pushed.
    pushed: u64,
    /// Bytes that were copied.
    copied: u64,
}

impl Machine {
    fn push(&mut self, value: Value) -> Result<(), Stop> {
        self.count()?;
        if value.names > MAX_COPIED {
            return Err(Stop::Limit(format!(
                "the names of its tensors have more than {} MiB",
                MAX_COPIED >> 20
            )));
        }
        self.stack.push(value);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.pushed += 1;
        if self.pushed > MAX_VALUES {
            return Err(Stop::Limit(format!(
                "its pickle has more than {MAX_VALUES} values"
            )));
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, Stop> {
        if self.marks.last() == Some(&self.stack.len()) {
            return Err(Stop::Unreadable);
        }
        self.stack.pop().ok_or(Stop::Unreadable)
    }

    fn pop_many<const N: usize>(&mut self) -> Result<[Value; N], Stop> {
        let mut values = [Value::EMPTY; N];
        for value in values.iter_mut().rev() {
            *value = self.pop()?;
        }
        Ok(values)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Stop> {
        let mark = self.marks.pop().ok_or(Stop::Unreadable)?;
        if mark > self.stack.len() {
            return Err(Stop::Unreadable);
        }
        Ok(self.stack.split_off(mark))
    }

    fn copy(&mut self, value: Value) -> Result<Value, Stop> {
        self.copied = self.copied.saturating_add(value.bytes);
        if self.copied > MAX_COPIED {
            return Err(Stop::Limit(format!(
                "its pickle copies more than {} MiB within memory",
                MAX_COPIED >> 20
            )));
        }
        Ok(value)
    }

    fn get(&mut self, index: u32) -> Result<(), Stop> {
        let value = *self.memo.get(&index).ok_or(Stop::Unreadable)?;
        let value = self.copy(value)?;
        self.push(value)
    }

    fn put(&mut self, index: u32) -> Result<(), Stop> {
        let mut top = self.pop()?;
        top.memo = Some(index);
        self.stack.push(top);
        self.count()?;
        let copy = self.copy(top)?;
        self.memo.insert(index, copy);
        Ok(())
    }

    /// Replaces the arguments of a call by its result, which contains no more than they do.
    fn call(&mut self, arguments: &[Value]) -> Result<(), Stop> {
        let mut result = Value::EMPTY;
        for argument in arguments {
            result.add(argument, 0);
        }
        self.push(result)
    }

    /// Sets the state of an object, whose copy in the memo is refreshed.
    fn build(&mut self) -> Result<(), Stop> {
        let [object, state] = self.pop_many()?;
        self.call(&[object, state])?;
        if let (Some(index), Some(&built)) = (object.memo, self.stack.last()) {
            let copy = self.copy(built)?;
            let memo = Some(index);
            self.memo.insert(index, Value { memo, ..copy });
        }
        Ok(())
    }
}

/// Scans one pickle and returns its value.
pub fn scan(reader: &mut impl BufRead) -> Result<Value, Stop> {
    let mut machine = Machine::default();
    loop {
        let [opcode] = array(reader)?;
        match opcode {
            // PROTO, FRAME, STOP
            0x80 => drop(array::<1>(reader)?),
            0x95 => drop(array::<8>(reader)?),
            b'.' => return machine.pop(),
            // NONE, NEWTRUE, NEWFALSE, BINFLOAT
            b'N' | 0x88 | 0x89 => machine.push(Value::of(1))?,
            b'G' => {
                array::<8>(reader)?;
                machine.push(Value::of(8))?;
            }
            // INT, LONG, FLOAT, UNICODE, PERSID as lines of text
            b'I' | b'L' => {
                let text = line(reader)?;
                let digits = text.trim_end_matches('L').parse();
                machine.push(digits.map_or(Value::of(8), Value::int))?;
            }
            b'F' => {
                line(reader)?;
                machine.push(Value::of(8))?;
            }
            b'V' => {
                // A byte above 127 becomes two of UTF-8.
                let length = 2 * line_bytes(reader)?.len();
                machine.push(Value::of(length as u64))?;
            }
            b'P' => {
                let length = line(reader)?.len();
                machine.push(storage(length as u64))?;
            }
            // BININT, BININT1, BININT2, LONG1, LONG4
            b'J' => {
                let value = i32::from_le_bytes(array(reader)?);
                machine.push(Value::int(value.into()))?;
            }
            b'K' => {
                let [value] = array(reader)?;
                machine.push(Value::int(value.into()))?;
            }
            b'M' => {
                let value = u16::from_le_bytes(array(reader)?);
                machine.push(Value::int(value.into()))?;
            }
            0x8a => {
                let [length] = array(reader)?;
                let value = long(reader, length.into())?;
                machine.push(value)?;
            }
            0x8b => {
                let length = u32::from_le_bytes(array(reader)?);
                let value = long(reader, length.into())?;
                machine.push(value)?;
            }
            // Strings and bytes by the width of their lengths
            0x8c | b'U' | b'C' => {
                let [length] = array(reader)?;
                machine.push(text(reader, length.into())?)?;
            }
            b'X' | b'T' | b'B' => {
                let length = u32::from_le_bytes(array(reader)?);
                machine.push(text(reader, length.into())?)?;
            }
            0x8d | 0x8e | 0x96 => {
                let length = u64::from_le_bytes(array(reader)?);
                machine.push(text(reader, length)?)?;
            }
            // Empty containers, MARK
            b')' | b']' | 0x8f | b'}' => machine.push(Value::EMPTY)?,
            b'(' => {
                machine.count()?;
                machine.marks.push(machine.stack.len());
            }
            // TUPLE, LIST, FROZENSET, TUPLE1, TUPLE2, TUPLE3
            b't' | b'l' | 0x91 => {
                let items = machine.pop_to_mark()?;
                machine.push(Value::sequence(&items))?;
            }
            0x85 => {
                let items = machine.pop_many::<1>()?;
                machine.push(Value::sequence(&items))?;
            }
            0x86 => {
                let items = machine.pop_many::<2>()?;
                machine.push(Value::sequence(&items))?;
            }
            0x87 => {
                let items = machine.pop_many::<3>()?;
                machine.push(Value::sequence(&items))?;
            }
            // APPEND, APPENDS, ADDITEMS
            b'a' => {
                let [mut list, item] = machine.pop_many()?;
                list.extend(&[item]);
                machine.push(list)?;
            }
            b'e' | 0x90 => {
                let items = machine.pop_to_mark()?;
                let mut list = machine.pop()?;
                list.extend(&items);
                machine.push(list)?;
            }
            // DICT, SETITEM, SETITEMS
            b'd' => {
                let items = machine.pop_to_mark()?;
                let mut dictionary = Value::EMPTY;
                dictionary.insert(&items)?;
                machine.push(dictionary)?;
            }
            b's' => {
                let [mut dictionary, key, value] = machine.pop_many()?;
                dictionary.insert(&[key, value])?;
                machine.push(dictionary)?;
            }
            b'u' => {
                let items = machine.pop_to_mark()?;
                let mut dictionary = machine.pop()?;
                dictionary.insert(&items)?;
                machine.push(dictionary)?;
            }
            // POP, POP_MARK, DUP
            b'0' => {
                if machine.marks.last() == Some(&machine.stack.len()) {
                    machine.marks.pop();
                } else {
                    machine.pop()?;
                }
            }
            b'1' => drop(machine.pop_to_mark()?),
            b'2' => {
                let top = machine.pop()?;
                machine.stack.push(top);
                let copy = machine.copy(top)?;
                machine.push(copy)?;
            }
            // GET, BINGET, LONG_BINGET, PUT, BINPUT, LONG_BINPUT, MEMOIZE
            b'g' => {
                let index = line(reader)?.parse().map_err(|_| Stop::Unreadable)?;
                machine.get(index)?;
            }
            b'h' => {
                let [index] = array(reader)?;
                machine.get(index.into())?;
            }
            b'j' => {
                let index = u32::from_le_bytes(array(reader)?);
                machine.get(index)?;
            }
            b'p' => {
                let index = line(reader)?.parse().map_err(|_| Stop::Unreadable)?;
                machine.put(index)?;
            }
            b'q' => {
                let [index] = array(reader)?;
                machine.put(index.into())?;
            }
            b'r' => {
                let index = u32::from_le_bytes(array(reader)?);
                machine.put(index)?;
            }
            0x94 => {
                let index = machine.memo.len() as u32;
                machine.put(index)?;
            }
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (line(reader)?, line(reader)?);
                machine.push(Value {
                    kind: Kind::Small(Small::Class(element_size(&name))),
                    ..Value::of((module.len() + name.len()) as u64)
                })?;
            }
            0x93 => {
                let names = machine.pop_many::<2>()?;
                machine.call(&names)?;
            }
            // BINPERSID
            b'Q' => {
                let [id] = machine.pop_many()?;
                machine.push(storage(id.bytes))?;
            }
            // BUILD, REDUCE, NEWOBJ, NEWOBJ_EX
            b'b' => machine.build()?,
            b'R' | 0x81 => {
                let arguments = machine.pop_many::<2>()?;
                machine.call(&arguments)?;
            }
            0x92 => {
                let arguments = machine.pop_many::<3>()?;
                machine.call(&arguments)?;
            }
            _ => return Err(Stop::Unreadable),
        }
    }
}

/// A storage, or a tensor of a tar archive, with `bytes` in its identifier.
fn storage(bytes: u64) -> Value {
    Value {
        tensors: 1,
        ..Value::of(bytes)
    }
}

/// Bytes of an element of a storage class; 0 for other classes.
fn element_size(class: &str) -> u8 {
    match class {
        "DoubleStorage" | "LongStorage" => 8,
        "FloatStorage" | "IntStorage" => 4,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "CharStorage" | "ByteStorage" | "BoolStorage" => 1,
        _ => 0,
    }
}

pub fn array<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], Stop> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads the text up to the end of the line.
fn line(reader: &mut impl BufRead) -> Result<String, Stop> {
    let mut text = line_bytes(reader)?;
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    String::from_utf8(text).map_err(|_| Stop::Unreadable)
}

/// Reads the bytes up to the end of the line.
fn line_bytes(reader: &mut impl BufRead) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    let mut limited = reader.by_ref().take(MAX_PICKLE);
    limited.read_until(b'\n', &mut text)?;
    match text.pop() {
        Some(b'\n') => Ok(text),
        _ if limited.limit() == 0 => Err(Stop::Limit(format!(
            "its pickle has a line of more than {} MiB",
            MAX_PICKLE >> 20
        ))),
        _ => Err(Stop::Unreadable),
    }
}

/// Skips a string of `length` bytes.
fn text(reader: &mut impl Read, length: u64) -> Result<Value, Stop> {
    if io::copy(&mut reader.by_ref().take(length), &mut io::sink())? < length {
        return Err(Stop::Unreadable);
    }
    Ok(Value::of(length))
}

/// Reads a little-endian integer of `length` bytes.
fn long(reader: &mut impl Read, length: u64) -> Result<Value, Stop> {
    if length > 8 {
        return text(reader, length).map(|_| Value::of(8));
    }
    let mut bytes = [0; 8];
    let value = &mut bytes[..length as usize];
    reader.read_exact(value)?;
    let fill = match value.last() {
        Some(last) if last & 0x80 != 0 => 0xff,
        _ => 0,
    };
    bytes[length as usize..].fill(fill);
    Ok(Value::int(i64::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use burn_store::pytorch_reader::PytorchReader;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Opcodes with their arguments, each opcode that the reader knows.
    const OPCODES: &[&[u8]] = &[
        b"N",
        b"\x88",
        b"\x89",
        b"I5\n",
        b"I01\n",
        b"L7L\n",
        b"F1.5\n",
        b"V\xe9\\u00e9\n",
        b"J\0\0\0\0",
        b"K\x02",
        b"M\x02\0",
        b"G\0\0\0\0\0\0\0\0",
        b"\x8a\x01\x05",
        b"\x8b\x01\0\0\0\x05",
        b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"T\x01\0\0\0a",
        b"U\x01\xff",
        b"X\x01\0\0\0b",
        b"\x8c\x01c",
        b"\x8d\x01\0\0\0\0\0\0\0d",
        b"B\x01\0\0\0a",
        b"C\x01a",
        b"\x8e\x01\0\0\0\0\0\0\0a",
        b"\x96\x01\0\0\0\0\0\0\0a",
        b")",
        b"]",
        b"}",
        b"\x8f",
        b"(",
        b"(",
        b"t",
        b"l",
        b"d",
        b"\x91",
        b"\x85",
        b"\x86",
        b"\x87",
        b"a",
        b"e",
        b"\x90",
        b"s",
        b"u",
        b"0",
        b"1",
        b"2",
        b"g0\n",
        b"h\0",
        b"h\x01",
        b"j\x01\0\0\0",
        b"p0\n",
        b"q\0",
        b"q\x01",
        b"r\x01\0\0\0",
        b"\x94",
        b"cmodule\nClass\n",
        b"ccollections\nOrderedDict\n",
        b"cbuiltins\nset\n",
        b"\x93",
        b"R",
        b"\x81",
        b"\x92",
        b"b",
        b"\x80\x04",
        b"\x95\0\0\0\0\0\0\0\0",
        b"X\x0b\0\0\0_parametersX\x08\0\0\0_buffers",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// The scan must not stop where the reader goes on.
        #[test]
        fn every_pickle_that_the_reader_reads_is_scanned_to_its_end(
            opcodes in prop::collection::vec(select(OPCODES), 1..12),
        ) {
            let pickle = [b"\x80\x02", &*opcodes.concat(), b"."].concat();
            // The reader has no public function for a pickle without a dictionary but this one.
            let file = tempfile::NamedTempFile::new()?;
            std::fs::write(file.path(), &pickle)?;
            let read = PytorchReader::read_pickle_data(file.path(), None);
            let scanned = scan(&mut &pickle[..]);
            prop_assert!(read.is_err() || scanned.is_ok(), "{read:?} {scanned:?}");
        }
    }
}

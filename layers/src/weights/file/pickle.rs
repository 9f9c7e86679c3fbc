//! Encoder of the pickle of a state dictionary, with the opcodes of protocol 2.
//!
//! A pickle is a program for a stack machine (Python's `pickletools` documents every opcode). The
//! encoded program builds `OrderedDict([(name, _rebuild_tensor_v2(storage, 0, shape, stride, False,
//! OrderedDict())), ...])`. Each storage is a persistent ID that `torch.load` resolves to an entry
//! of the archive. The program refers only to globals that `torch.load(weights_only=True)` allows.

use burn::tensor::{BoolStore, DType};

/// Name, type and shape of a tensor; the archive stores its values in a separate entry.
pub(super) struct TensorHeader<'a> {
    pub name: &'a str,
    pub dtype: DType,
    pub shape: &'a [usize],
}

const PROTO: u8 = 0x80;
const STOP: u8 = b'.';
const MARK: u8 = b'(';
const EMPTY_TUPLE: u8 = b')';
const TUPLE: u8 = b't';
const REDUCE: u8 = b'R';
const SETITEMS: u8 = b'u';
const GLOBAL: u8 = b'c';
const BINUNICODE: u8 = b'X';
const BININT: u8 = b'J';
const LONG1: u8 = 0x8a;
const NEWFALSE: u8 = 0x89;
const BINPERSID: u8 = b'Q';

/// Returns the pickle of a dictionary of `tensors`, in which tensor `i` has the storage `i`; `None`
/// if PyTorch has no storage class for an element type.
pub(super) fn state_dict<'a>(tensors: impl Iterator<Item = TensorHeader<'a>>) -> Option<Vec<u8>> {
    let mut out = vec![PROTO, 2];
    empty_ordered_dict(&mut out);
    out.push(MARK);
    for (index, tensor) in tensors.enumerate() {
        string(&mut out, tensor.name);
        rebuilt_tensor(&mut out, index, &tensor)?;
    }
    out.extend([SETITEMS, STOP]);
    Some(out)
}

fn rebuilt_tensor(out: &mut Vec<u8>, index: usize, tensor: &TensorHeader<'_>) -> Option<()> {
    global(out, "torch._utils", "_rebuild_tensor_v2");
    out.push(MARK);

    out.push(MARK);
    string(out, "storage");
    global(out, "torch", storage_class(tensor.dtype)?);
    string(out, &index.to_string());
    string(out, "cpu");
    integer(out, tensor.shape.iter().product());
    out.extend([TUPLE, BINPERSID]);

    integer(out, 0);
    tuple(out, tensor.shape);
    tuple(out, &row_major_strides(tensor.shape));
    out.push(NEWFALSE);
    empty_ordered_dict(out);
    out.extend([TUPLE, REDUCE]);
    Some(())
}

fn row_major_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

fn storage_class(dtype: DType) -> Option<&'static str> {
    Some(match dtype {
        DType::F64 => "DoubleStorage",
        DType::F32 => "FloatStorage",
        DType::F16 => "HalfStorage",
        DType::BF16 => "BFloat16Storage",
        DType::I64 => "LongStorage",
        DType::I32 => "IntStorage",
        DType::I16 => "ShortStorage",
        DType::I8 => "CharStorage",
        DType::U8 => "ByteStorage",
        DType::Bool(BoolStore::Native) => "BoolStorage",
        _ => return None,
    })
}

fn empty_ordered_dict(out: &mut Vec<u8>) {
    global(out, "collections", "OrderedDict");
    out.extend([EMPTY_TUPLE, REDUCE]);
}

fn global(out: &mut Vec<u8>, module: &str, name: &str) {
    out.push(GLOBAL);
    for word in [module, name] {
        out.extend(word.as_bytes());
        out.push(b'\n');
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(BINUNICODE);
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn integer(out: &mut Vec<u8>, value: usize) {
    match i32::try_from(value) {
        Ok(value) => {
            out.push(BININT);
            out.extend(value.to_le_bytes());
        }
        Err(_) => {
            // LONG1 is signed: a ninth byte of 0 keeps a value of 2^63 or more positive.
            out.extend([LONG1, 9]);
            out.extend((value as u64).to_le_bytes());
            out.push(0);
        }
    }
}

fn tuple(out: &mut Vec<u8>, values: &[usize]) {
    out.push(MARK);
    for &value in values {
        integer(out, value);
    }
    out.push(TUPLE);
}

//! Sizes of the values of a pickle.

use super::stop::Stop;

/// A value without its content, or with the little that a table of a tar archive needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Small {
    Int(i64),
    /// A class with the size of its elements in bytes, if it is a storage.
    Class(u8),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Small(Small),
    /// A tuple of three values.
    Three([Small; 3]),
}

/// Size of a value.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// Bytes that a copy takes, without a constant for each object, which the reader limits.
    pub bytes: u64,
    /// Tensors within the value.
    pub tensors: u64,
    /// Bytes of the names of these tensors.
    pub names: u64,
    /// Bytes of the first item of a sequence.
    pub first: Option<u64>,
    /// Index in the memo, once there.
    pub memo: Option<u32>,
    pub kind: Kind,
}

impl Value {
    pub const EMPTY: Self = Self::of(0);

    pub const fn of(bytes: u64) -> Self {
        Self {
            bytes,
            tensors: 0,
            names: 0,
            first: None,
            memo: None,
            kind: Kind::Small(Small::Other),
        }
    }

    pub fn int(value: i64) -> Self {
        Self {
            kind: Kind::Small(Small::Int(value)),
            ..Self::of(8)
        }
    }

    /// Adds the size of `other`, whose tensors have `prefix` more bytes in their names.
    pub fn add(&mut self, other: &Self, prefix: u64) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.tensors = self.tensors.saturating_add(other.tensors);
        let prefix = other.tensors.saturating_mul(prefix.saturating_add(1));
        self.names = self
            .names
            .saturating_add(other.names)
            .saturating_add(prefix);
        self.kind = Kind::Small(Small::Other);
    }

    /// Appends items to a sequence. A sequence of two may be the key and value of a dictionary, so
    /// that the first item counts as the name of the others.
    pub fn extend(&mut self, items: &[Self]) {
        const INDEX_DIGITS: u64 = 8;
        for item in items {
            self.add(item, self.first.unwrap_or(0).max(INDEX_DIGITS));
            self.first.get_or_insert(item.bytes);
        }
    }

    /// Inserts keys and values into a dictionary.
    pub fn insert(&mut self, items: &[Self]) -> Result<(), Stop> {
        for pair in items.chunks(2) {
            let [key, value] = pair else {
                return Err(Stop::Unreadable);
            };
            self.add(key, 0);
            self.add(value, key.bytes.max(20));
        }
        Ok(())
    }

    pub fn sequence(items: &[Self]) -> Self {
        let mut sequence = Self::EMPTY;
        sequence.extend(items);
        if let [a, b, c] = items {
            let small = |value: &Self| match value.kind {
                Kind::Small(small) => small,
                Kind::Three(_) => Small::Other,
            };
            sequence.kind = Kind::Three([small(a), small(b), small(c)]);
        }
        sequence
    }
}

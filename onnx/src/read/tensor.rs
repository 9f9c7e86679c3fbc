//! Tensors of known elements, and the movement of their elements.

use std::rc::Rc;

use super::shape;

/// A tensor of known elements, which are shared by its copies.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Shape.
    pub shape: Vec<usize>,
    /// Elements in row-major order.
    pub elements: Elements,
}

/// Elements of a [`Tensor`].
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Numbers.
    Floats(Rc<Vec<f32>>),
    /// One number that all elements equal.
    Fill(f32),
    /// Whole numbers, and truth values as 0 and 1.
    Integers(Rc<Vec<i64>>),
}

impl Tensor {
    /// A tensor of numbers.
    pub fn floats(shape: Vec<usize>, elements: Vec<f32>) -> Self {
        Self {
            shape,
            elements: Elements::Floats(Rc::new(elements)),
        }
    }

    /// A tensor whose elements equal `number`.
    pub fn filled(shape: Vec<usize>, number: f32) -> Self {
        Self {
            shape,
            elements: Elements::Fill(number),
        }
    }

    /// A tensor of whole numbers.
    pub fn integers(shape: Vec<usize>, elements: Vec<i64>) -> Self {
        Self {
            shape,
            elements: Elements::Integers(Rc::new(elements)),
        }
    }

    /// A list of whole numbers.
    pub fn list(elements: Vec<i64>) -> Self {
        Self::integers(vec![elements.len()], elements)
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        match &self.elements {
            Elements::Floats(elements) => elements.len(),
            Elements::Fill(_) => self.shape.iter().product(),
            Elements::Integers(elements) => elements.len(),
        }
    }

    /// Returns the tensor with a number for every element. The caller checks that they are not too many.
    pub fn dense(&self) -> Self {
        match self.elements {
            Elements::Fill(number) => Self::floats(self.shape.clone(), vec![number; self.len()]),
            _ => self.clone(),
        }
    }

    /// Returns whether the elements are whole numbers.
    pub fn is_integer(&self) -> bool {
        matches!(self.elements, Elements::Integers(_))
    }

    /// Returns the elements as whole numbers, if they are.
    pub fn as_integers(&self) -> Option<&[i64]> {
        match &self.elements {
            Elements::Integers(elements) => Some(elements),
            Elements::Floats(_) | Elements::Fill(_) => None,
        }
    }

    /// Returns the elements as numbers, if they are and the tensor is [dense](Self::dense).
    pub fn as_floats(&self) -> Option<&[f32]> {
        match &self.elements {
            Elements::Floats(elements) => Some(elements),
            Elements::Fill(_) | Elements::Integers(_) => None,
        }
    }

    /// Returns the elements of a [dense](Self::dense) tensor in double precision.
    pub fn doubles(&self) -> Vec<f64> {
        match &self.elements {
            Elements::Floats(elements) => elements.iter().map(|&x| f64::from(x)).collect(),
            Elements::Fill(number) => vec![f64::from(*number); self.len()],
            Elements::Integers(elements) => elements.iter().map(|&x| x as f64).collect(),
        }
    }

    /// Returns the number of a tensor of one number.
    pub fn number(&self) -> Option<f64> {
        match &self.elements {
            Elements::Floats(elements) => match elements[..] {
                [number] => Some(widened(number)),
                _ => None,
            },
            Elements::Fill(number) if self.len() == 1 => Some(widened(*number)),
            Elements::Fill(_) | Elements::Integers(_) => None,
        }
    }

    /// Returns the number or whole number of a tensor of one.
    pub fn any_number(&self) -> Option<f64> {
        match self.as_integers() {
            Some(&[number]) => Some(number as f64),
            _ => self.number(),
        }
    }

    /// Returns the same elements in another shape of as many elements.
    pub fn reshaped(&self, shape: Vec<usize>) -> Self {
        Self {
            shape,
            elements: self.elements.clone(),
        }
    }

    /// Returns the tensor of shape `shape` whose element at an index is the element at `offset` plus the products of
    /// index and `strides`. The caller checks that these are elements.
    pub fn strided(&self, shape: Vec<usize>, strides: &[usize], offset: usize) -> Self {
        let elements = match &self.elements {
            Elements::Floats(from) => {
                Elements::Floats(Rc::new(strided(from, &shape, strides, offset)))
            }
            Elements::Fill(number) => Elements::Fill(*number),
            Elements::Integers(from) => {
                Elements::Integers(Rc::new(strided(from, &shape, strides, offset)))
            }
        };
        Self { shape, elements }
    }

    /// Returns the tensor broadcast to `shape`.
    pub fn expanded(&self, shape: Vec<usize>) -> Self {
        if self.shape == shape {
            return self.clone();
        }
        let lengths = shape::with_rank(&self.shape, shape.len());
        let strides: Vec<usize> = strides(&lengths)
            .into_iter()
            .zip(&lengths)
            .map(|(stride, &length)| if length == 1 { 0 } else { stride })
            .collect();
        self.strided(shape, &strides, 0)
    }

    /// Returns the transposed matrix of a matrix.
    pub fn transposed(&self) -> Self {
        let &[rows, columns] = &self.shape[..] else {
            return self.clone();
        };
        match &self.elements {
            Elements::Floats(from) => {
                Self::floats(vec![columns, rows], transposed(from, rows, columns))
            }
            _ => self.strided(vec![columns, rows], &[1, columns], 0),
        }
    }

    /// Returns the entries `indices` along `axis`. The caller checks that there are such entries.
    pub fn selected(&self, axis: usize, indices: &[usize]) -> Self {
        let mut shape = self.shape.clone();
        shape[axis] = indices.len();
        let inner: usize = self.shape[axis + 1..].iter().product();
        let (length, outer) = (self.shape[axis], self.shape[..axis].iter().product());
        let elements = match &self.elements {
            Elements::Floats(from) => {
                Elements::Floats(Rc::new(selected(from, [outer, length, inner], indices)))
            }
            Elements::Fill(number) => Elements::Fill(*number),
            Elements::Integers(from) => {
                Elements::Integers(Rc::new(selected(from, [outer, length, inner], indices)))
            }
        };
        Self { shape, elements }
    }

    /// Returns [dense](Self::dense) tensors joined along `axis`, or `None` if numbers and whole numbers are mixed. The caller checks that
    /// the other axes are equal.
    pub fn concatenated(parts: &[Self], axis: usize) -> Option<Self> {
        let mut shape = parts.first()?.shape.clone();
        shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
        let outer: usize = shape[..axis].iter().product();
        if let Some(lists) = parts
            .iter()
            .map(Self::as_floats)
            .collect::<Option<Vec<_>>>()
        {
            return Some(Self::floats(shape, concatenated(&lists, outer)));
        }
        let lists = parts.iter().map(Self::as_integers);
        let lists = lists.collect::<Option<Vec<_>>>()?;
        Some(Self::integers(shape, concatenated(&lists, outer)))
    }
}

/// Returns the number in double precision that `number` was rounded from: the fraction with a small denominator, or else the
/// shortest decimal, that rounds to `number`. Files have float32 numbers for the 0.1 and 2 / 3 of programs.
pub fn widened(number: f32) -> f64 {
    let decimal = format!("{number:e}");
    // Fractions whose decimals do not end.
    let digits = decimal.bytes().filter(u8::is_ascii_digit).count();
    if digits > 7 && number.abs() < 100.0 {
        for denominator in [3.0, 6.0, 7.0, 9.0, 11.0, 12.0] {
            let fraction = (f64::from(number) * denominator).round() / denominator;
            if fraction as f32 == number {
                return fraction;
            }
        }
    }
    decimal.parse().unwrap_or_else(|_| f64::from(number))
}

/// Returns the distance between neighbouring elements along each axis of a tensor in row-major order.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

fn strided<T: Copy>(from: &[T], shape: &[usize], strides: &[usize], offset: usize) -> Vec<T> {
    let count = shape.iter().product();
    let mut elements = Vec::with_capacity(count);
    let Some((&length, outer)) = shape.split_last() else {
        return vec![from[offset]];
    };
    let stride = strides[outer.len()];
    let mut index = vec![0; outer.len()];
    let mut start = offset;
    while elements.len() < count {
        elements.extend((0..length).map(|i| from[start + i * stride]));
        for axis in (0..outer.len()).rev() {
            index[axis] += 1;
            start += strides[axis];
            if index[axis] < outer[axis] {
                break;
            }
            start -= outer[axis] * strides[axis];
            index[axis] = 0;
        }
    }
    elements
}

/// Returns the transposed matrix, in blocks of 16 columns, which fit in the cache.
fn transposed(from: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut to = vec![0.0; from.len()];
    for first in (0..rows).step_by(16) {
        let last = (first + 16).min(rows);
        for column in 0..columns {
            for row in first..last {
                to[column * rows + row] = from[row * columns + column];
            }
        }
    }
    to
}

fn selected<T: Copy>(from: &[T], [outer, length, inner]: [usize; 3], indices: &[usize]) -> Vec<T> {
    let mut elements = Vec::with_capacity(outer * indices.len() * inner);
    for i in 0..outer {
        for index in indices {
            let start = (i * length + index) * inner;
            elements.extend_from_slice(&from[start..start + inner]);
        }
    }
    elements
}

fn concatenated<T: Copy>(lists: &[&[T]], outer: usize) -> Vec<T> {
    let mut elements = Vec::with_capacity(lists.iter().map(|list| list.len()).sum());
    for i in 0..outer {
        for list in lists {
            let rows = list.len() / outer;
            elements.extend_from_slice(&list[i * rows..(i + 1) * rows]);
        }
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: &[usize]) -> Tensor {
        let elements = (0..shape.iter().product::<usize>() as i64).collect();
        Tensor::integers(shape.to_vec(), elements)
    }

    #[test]
    fn elements_are_moved() {
        let x = counted(&[2, 3]);
        let transposed = x.strided(vec![3, 2], &[1, 3], 0);
        assert_eq!(transposed.as_integers(), Some(&[0, 3, 1, 4, 2, 5][..]));
        assert_eq!(x.transposed(), transposed);
        let expanded = counted(&[2, 1]).expanded(vec![2, 2, 2]);
        assert_eq!(expanded.as_integers(), Some(&[0, 0, 1, 1, 0, 0, 1, 1][..]));
        let selected = x.selected(1, &[2, 0]);
        assert_eq!(selected.as_integers(), Some(&[2, 0, 5, 3][..]));
        let joined = Tensor::concatenated(&[x.clone(), counted(&[2, 1])], 1).expect("integers");
        assert_eq!(joined.shape, [2, 4]);
        assert_eq!(joined.as_integers(), Some(&[0, 1, 2, 0, 3, 4, 5, 1][..]));
        assert_eq!(counted(&[]).strided(Vec::new(), &[], 0), counted(&[]));
    }

    #[test]
    fn decimals_and_fractions_are_kept() {
        assert_eq!(widened(0.1), 0.1);
        assert_eq!(widened(1e-5), 1e-5);
        assert_eq!(widened(2.0 / 3.0), 2.0 / 3.0);
        assert_eq!(widened(-1.0 / 6.0), -1.0 / 6.0);
        assert_eq!(widened(0.333), 0.333);
        assert_eq!(widened(f32::MAX), 3.4028235e38);
        assert_eq!(widened(f32::NEG_INFINITY), f64::NEG_INFINITY);
        assert!(widened(f32::NAN).is_nan());
    }

    #[test]
    fn large_matrices_are_transposed() {
        let x = Tensor::floats(vec![17, 5], (0..85).map(|i| i as f32).collect());
        let expected = x.strided(vec![5, 17], &[1, 5], 0);
        assert_eq!(x.transposed(), expected);
    }
}

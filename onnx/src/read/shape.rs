//! Arithmetic of shapes: number of elements, broadcasting, axes.

use super::fault::{Result, invalid, unsupported};

/// Elements of the largest tensor.
pub const MAX_ELEMENTS: u64 = 1 << 40;

/// Axes of the largest tensor.
pub const MAX_RANK: usize = 12;

/// Returns the number of elements of a tensor of shape `shape`.
///
/// # Errors
///
/// More than [`MAX_ELEMENTS`] elements or [`MAX_RANK`] axes.
pub fn elements(shape: &[usize]) -> Result<usize> {
    if shape.len() > MAX_RANK {
        return unsupported(format!(
            "a tensor has {} axes, expected at most {MAX_RANK}",
            shape.len()
        ));
    }
    let lengths = shape.iter().filter(|&&length| length != 0);
    let count = lengths.fold(1u64, |count, &length| count.saturating_mul(length as u64));
    if count > MAX_ELEMENTS {
        return invalid(format!(
            "a tensor has shape {shape:?}, expected at most 2^40 elements"
        ));
    }
    Ok(shape.iter().product())
}

/// Returns the shape that tensors of shapes `a` and `b` are broadcast to.
///
/// # Errors
///
/// An axis has two lengths other than 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        if axis < missing {
            1
        } else {
            shape[axis - missing]
        }
    };
    (0..rank)
        .map(|axis| match (length(a, axis), length(b, axis)) {
            (one, other) if one == other => Ok(one),
            (1, other) => Ok(other),
            (one, 1) => Ok(one),
            _ => invalid(format!("shapes {a:?} and {b:?} cannot be broadcast")),
        })
        .collect()
}

/// Returns `shape` with leading axes of length 1, of rank `rank` or more.
pub fn with_rank(shape: &[usize], rank: usize) -> Vec<usize> {
    let missing = rank.saturating_sub(shape.len());
    let mut padded = vec![1; missing];
    padded.extend(shape);
    padded
}

/// Returns the axis that `axis`, counted from the end if it is negative, is of a tensor of rank `rank`.
///
/// # Errors
///
/// The tensor has no such axis.
pub fn axis(axis: i64, rank: usize) -> Result<usize> {
    let signed = rank as i64;
    if (-signed..signed).contains(&axis) {
        return Ok(axis.rem_euclid(signed) as usize);
    }
    invalid(format!("axis {axis} of a tensor with {rank} axes"))
}

/// Returns the axes that `list` names, in ascending order.
///
/// # Errors
///
/// As [`axis`], and if an axis occurs twice.
pub fn axes(list: &[i64], rank: usize) -> Result<Vec<usize>> {
    let mut axes = list
        .iter()
        .map(|&one| axis(one, rank))
        .collect::<Result<Vec<_>>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid(format!("the axes {list:?} contain an axis twice"));
    }
    Ok(axes)
}

/// Returns `value` as a length or count.
///
/// # Errors
///
/// `value` is negative or too large. `what` names it.
pub fn length(value: i64, what: &str) -> Result<usize> {
    match usize::try_from(value) {
        Ok(length) if length as u64 <= MAX_ELEMENTS => Ok(length),
        _ => invalid(format!("{what} is {value}, expected 0 to 2^40")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_broadcast_from_the_last_axis() {
        assert_eq!(broadcast(&[2, 1, 4], &[3, 1]), Ok(vec![2, 3, 4]));
        assert_eq!(broadcast(&[], &[5]), Ok(vec![5]));
        assert!(broadcast(&[2], &[3]).is_err());
    }

    #[test]
    fn sizes_are_limited() {
        assert_eq!(elements(&[2, 3]), Ok(6));
        assert_eq!(elements(&[0, usize::MAX / 2]).ok(), None);
        assert!(elements(&[1 << 21, 1 << 20]).is_err());
        assert!(elements(&[1; 13]).is_err());
        assert!(elements(&[usize::MAX, usize::MAX]).is_err());
    }

    #[test]
    fn axes_count_from_both_ends() {
        assert_eq!(axes(&[-1, 0], 3), Ok(vec![0, 2]));
        assert!(axes(&[-1, 2], 3).is_err());
        assert!(axis(3, 3).is_err());
        assert!(axis(0, 0).is_err());
        assert!(axis(i64::MIN, 3).is_err());
    }
}

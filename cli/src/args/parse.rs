//! Values of options, refused with what was expected.

/// A shape written `1x3x224x224`, every dimension at least 1.
pub(super) fn shape(text: &str) -> Result<[usize; 4], String> {
    let refused = || {
        "expected batch x channels x height x width, each at least 1, such as 1x3x224x224"
            .to_owned()
    };
    let dimensions = text
        .split('x')
        .map(|dimension| dimension.parse().ok().filter(|&n: &usize| n > 0))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(refused)?;
    dimensions.try_into().map_err(|_| refused())
}

pub(super) fn positive(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| n > 0)
        .ok_or_else(|| "expected a whole number of at least 1".to_owned())
}

pub(super) fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| (1..=1024).contains(&n))
        .ok_or_else(|| "expected a whole number from 1 to 1024".to_owned())
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0)
        .ok_or_else(|| "expected a number above 0, at most 3600".to_owned())
}

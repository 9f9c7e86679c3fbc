//! Text labels of the drawings.

/// Returns the label of a run of names from `first` to `last`: `layer3.1–35`.
pub(super) fn range_label(first: &str, last: &str) -> String {
    if first == last {
        return first.to_owned();
    }
    let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b);
    let common = common.count();
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    // The differing ends start with all digits of a number, also those that both names share.
    let prefix = last
        .get(..common)
        .map_or(0, |common| common.len() - digits(common));
    let ends = [&first[prefix..], &last[prefix..]];
    if prefix > 0
        && ends
            .iter()
            .all(|end| !end.is_empty() && digits(end) == end.len())
    {
        format!("{first}–{}", ends[1])
    } else {
        format!("{first} – {last}")
    }
}

/// Returns a name with its number of repetitions: `layer3.1–35 ×35`.
pub(super) fn repeated(name: &str, times: usize) -> String {
    match times {
        1 => name.to_owned(),
        _ => format!("{name} ×{times}"),
    }
}

/// Returns the kind of a layer with multiplication signs: `conv 3×3/2` for `conv 3x3/2`.
pub(super) fn with_times_sign(kind: &str) -> String {
    let mut text = String::with_capacity(kind.len() + 2);
    let mut before = ' ';
    let mut letters = kind.chars().peekable();
    while let Some(letter) = letters.next() {
        let after = letters.peek().is_some_and(char::is_ascii_digit);
        let sign = letter == 'x' && before.is_ascii_digit() && after;
        text.push(if sign { '×' } else { letter });
        before = letter;
    }
    text
}

/// Returns the height, width and channels of feature maps: `28×28×64`; the length of a vector.
pub(super) fn shape_label(shape: &[usize]) -> String {
    let sizes: Vec<usize> = match *shape {
        [_, channels, height, width] => vec![height, width, channels],
        [_, ref rest @ ..] => rest.to_vec(),
        [] => Vec::new(),
    };
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("×")
}

/// Returns an estimate of a text's width in pixels at a font size of `points`, for the widest of
/// the usual sans-serif fonts.
pub(super) fn text_width(text: &str, points: f64) -> f64 {
    let width_in_em = |letter: char| match letter {
        'i' | 'j' | 'l' | 'f' | 't' | '.' | ',' | ':' | ' ' | '(' | ')' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '…' => 0.98,
        'A'..='Z' | '×' | '→' | '+' => 0.8,
        ' '..='~' | '–' => 0.64,
        _ => 1.0,
    };
    text.chars().map(width_in_em).sum::<f64>() * points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_repeats_only_the_number_if_nothing_else_differs() {
        assert_eq!(range_label("layer3.1", "layer3.35"), "layer3.1–35");
        assert_eq!(range_label("features.10", "features.14"), "features.10–14");
        assert_eq!(range_label("conv5_1", "conv5_3"), "conv5_1–3");
        assert_eq!(range_label("fc", "fc"), "fc");
        assert_eq!(range_label("left", "right"), "left – right");
        assert_eq!(range_label("block1.a", "block2.a"), "block1.a – block2.a");
        assert_eq!(range_label("ä1", "ö2"), "ä1 – ö2");
    }

    #[test]
    fn shapes_end_with_the_channels() {
        assert_eq!(shape_label(&[1, 64, 28, 14]), "28×14×64");
        assert_eq!(shape_label(&[1, 1000]), "1000");
        assert_eq!(shape_label(&[]), "");
        assert_eq!(with_times_sign("conv 3x3/2"), "conv 3×3/2");
        assert_eq!(with_times_sign("max pool 2x3/2x1"), "max pool 2×3/2×1");
        assert_eq!(with_times_sign("fix x 3x"), "fix x 3x");
    }
}

//! Words of the drawings.

/// The name of what goes from `first` to `last`: `layer3.1–35`.
pub(super) fn run(first: &str, last: &str) -> String {
    if first == last {
        return first.to_owned();
    }
    let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b);
    let same = same.count();
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let shared = last
        .get(..same)
        .map_or(0, |shared| shared.len() - digits(shared));
    let ends = [&first[shared..], &last[shared..]];
    if shared > 0
        && ends
            .iter()
            .all(|end| !end.is_empty() && digits(end) == end.len())
    {
        format!("{first}–{}", ends[1])
    } else {
        format!("{first} – {last}")
    }
}

/// A kind of layer with a multiplication sign: `conv 3×3/2`.
pub(super) fn signed(kind: &str) -> String {
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

/// Height, width and channels of an image: `28×28×64`; of a vector its length.
pub(super) fn size(shape: &[usize]) -> String {
    let sizes: Vec<usize> = match *shape {
        [_, channels, height, width] => vec![height, width, channels],
        [_, ref rest @ ..] => rest.to_vec(),
        [] => Vec::new(),
    };
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("×")
}

/// About how wide a text is at a font size of `points`, in the widest of the usual sans-serif fonts.
pub(super) fn width(text: &str, points: f64) -> f64 {
    let share = |letter: char| match letter {
        'i' | 'j' | 'l' | 'f' | 't' | '.' | ',' | ':' | ' ' | '(' | ')' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '…' => 0.98,
        'A'..='Z' | '×' | '→' | '+' => 0.8,
        ' '..='~' | '–' => 0.64,
        _ => 1.0,
    };
    text.chars().map(share).sum::<f64>() * points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_shortened_where_only_a_number_differs() {
        assert_eq!(run("layer3.1", "layer3.35"), "layer3.1–35");
        assert_eq!(run("features.10", "features.14"), "features.10–14");
        assert_eq!(run("conv5_1", "conv5_3"), "conv5_1–3");
        assert_eq!(run("fc", "fc"), "fc");
        assert_eq!(run("left", "right"), "left – right");
        assert_eq!(run("block1.a", "block2.a"), "block1.a – block2.a");
        assert_eq!(run("ä1", "ö2"), "ä1 – ö2");
    }

    #[test]
    fn sizes_have_the_channels_last() {
        assert_eq!(size(&[1, 64, 28, 14]), "28×14×64");
        assert_eq!(size(&[1, 1000]), "1000");
        assert_eq!(size(&[]), "");
        assert_eq!(signed("conv 3x3/2"), "conv 3×3/2");
        assert_eq!(signed("max pool 2x3/2x1"), "max pool 2×3/2×1");
        assert_eq!(signed("fix x 3x"), "fix x 3x");
    }
}

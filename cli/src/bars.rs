//! Probabilities for people: per cent, and bars of block characters.

/// The widest bar, in terminal columns.
const WIDEST_BAR: usize = 40;
/// The widest column of labels; longer ones are cut.
const WIDEST_LABEL: usize = 32;
/// Columns around label and bar: the indent, two gaps and `<0.1 %`.
const MARGINS: usize = 2 + 2 + 1 + 6;

/// A probability in per cent: `99 %`, `0.4 %`, `<0.1 %`.
pub fn percent(probability: f32) -> String {
    let percent = probability * 100.0;
    if percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent >= 0.05 {
        format!("{percent:.1} %")
    } else {
        "<0.1 %".to_owned()
    }
}

/// A bar of `fraction` of `width` columns, in steps of an eighth of a column.
fn bar(fraction: f32, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (fraction.clamp(0.0, 1.0) * 8.0 * width as f32).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// Rows of label, bar and per cent that fit `columns` columns.
pub fn rows(predictions: &[(&str, f32)], columns: usize) -> Vec<String> {
    let labels: Vec<String> = predictions
        .iter()
        .map(|(label, _)| shorten(label, WIDEST_LABEL))
        .collect();
    let widest = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let width = columns
        .saturating_sub(widest + MARGINS)
        .clamp(1, WIDEST_BAR);
    labels
        .iter()
        .zip(predictions)
        .map(|(label, &(_, probability))| {
            let bar = bar(probability, width);
            let percent = percent(probability);
            format!("  {label:<widest$}  {bar:<width$} {percent:>6}")
        })
        .collect()
}

fn shorten(label: &str, longest: usize) -> String {
    if label.chars().count() <= longest {
        return label.to_owned();
    }
    let kept: String = label.chars().take(longest - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_keep_two_figures_where_they_matter() {
        for (probability, text) in [
            (1.0, "100 %"),
            (0.992, "99 %"),
            (0.0997, "10 %"),
            (0.0041, "0.4 %"),
            (0.0004, "<0.1 %"),
            (0.0, "<0.1 %"),
        ] {
            assert_eq!(percent(probability), text);
        }
    }

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 1), "▌");
        assert_eq!(bar(0.28125, 4), "█▏");
    }

    #[test]
    fn rows_fit_the_terminal() {
        let long = "a label that is longer than any column can be";
        for columns in [20, 60, 80, 200] {
            for row in rows(&[("espresso", 0.992), ("cup", 0.001)], columns) {
                assert!(row.chars().count() <= columns.max(30), "{row}");
            }
        }
        assert!(rows(&[(long, 0.5)], 80)[0].contains('…'));
    }
}

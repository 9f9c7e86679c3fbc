//! Class probabilities as text: percentages, and bars of Unicode block characters.

/// Largest width of a bar, in terminal columns.
const MAX_BAR_WIDTH: usize = 40;
/// Largest width of a label, in terminal columns; longer labels are truncated.
const MAX_LABEL_WIDTH: usize = 32;
/// Terminal columns besides label and bar: the indent, two gaps and the percentage.
const MARGINS: usize = 2 + 2 + 1 + 6;

/// Formats a probability as a percentage: `99 %`, `0.4 %`, `<0.1 %`.
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

/// Draws a bar that is `fraction * width` columns long, rounded to an eighth of a column.
fn bar(fraction: f32, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (fraction.clamp(0.0, 1.0) * 8.0 * width as f32).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Formats each (label, probability) as a row of label, bar and percentage, at most `columns` wide.
pub fn rows(predictions: &[(&str, f32)], columns: usize) -> Vec<String> {
    let labels: Vec<String> = predictions
        .iter()
        .map(|(label, _)| truncate(label, MAX_LABEL_WIDTH))
        .collect();
    let widest = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let width = columns
        .saturating_sub(widest + MARGINS)
        .clamp(1, MAX_BAR_WIDTH);
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

/// Cuts `label` to `width` characters, the last of which is then an ellipsis.
fn truncate(label: &str, width: usize) -> String {
    if label.chars().count() <= width {
        return label.to_owned();
    }
    let kept: String = label.chars().take(width - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_by_magnitude() {
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
    fn bars_have_a_resolution_of_an_eighth_of_a_column() {
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

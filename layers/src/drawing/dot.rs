//! Drawings in DOT, Graphviz's language.

use std::fmt::Write;

use super::diagram::Diagram;
use super::label::{repeated, shape_label, with_times_sign};
use super::volumes::{Volume, Volumes};

impl Diagram {
    /// Returns the diagram as input of `dot`, with frames as clusters.
    pub fn dot(&self) -> String {
        let mut text = header(&self.model, "TB");
        let mut open_frames = Vec::new();
        let mut frames = self.frames.iter().enumerate().peekable();
        for (box_index, layer) in self.boxes.iter().enumerate() {
            while let Some((index, frame)) = frames.next_if(|(_, frame)| frame.first == box_index) {
                let label = repeated(&frame.name, frame.times);
                let _ = writeln!(
                    text,
                    "  subgraph cluster{index} {{\n  label={};",
                    quoted(&[&label])
                );
                open_frames.push(frame.last);
            }
            let kinds = layer.kinds.iter().map(|kind| with_times_sign(kind));
            let kinds: Vec<String> = kinds.collect();
            let name = repeated(&layer.name, layer.times);
            let lines = [
                name.as_str(),
                &kinds.join(", "),
                &shape_label(&layer.output),
            ];
            let _ = writeln!(text, "  box{box_index} [label={}];", quoted(&lines));
            while open_frames.pop_if(|last| *last == box_index).is_some() {
                text += "  }\n";
            }
        }
        for [from, to] in &self.arrows {
            let _ = writeln!(text, "  box{from} -> box{to};");
        }
        text + "}\n"
    }
}

impl Volumes {
    /// Returns the volumes as input of `dot`: a chain, with a further chain for each head.
    pub fn dot(&self) -> String {
        let mut text = header(&self.model, "LR");
        let mut add_chain = |volumes: &[Volume], prefix: &str, mut previous: Option<String>| {
            for (index, volume) in volumes.iter().enumerate() {
                let id = format!("{prefix}{index}");
                let title = repeated(&volume.name, volume.times);
                let kinds = volume.kinds.iter().map(|kind| with_times_sign(kind));
                let kinds: Vec<String> = kinds.collect();
                let mut lines = vec![title.as_str()];
                lines.extend(kinds.iter().map(String::as_str));
                let shape = shape_label(&volume.output);
                lines.push(&shape);
                let _ = writeln!(text, "  {id} [label={}];", quoted(&lines));
                if let Some(previous) = previous {
                    let _ = writeln!(text, "  {previous} -> {id};");
                }
                previous = Some(id);
            }
        };
        add_chain(&self.volumes, "volume", None);
        for (index, head) in self.heads.iter().enumerate() {
            let from = format!("volume{}", head.from);
            add_chain(&head.volumes, &format!("head{index}_"), Some(from));
        }
        text + "}\n"
    }
}

/// Returns the first lines of a graph; `direction` is a value of `rankdir`.
fn header(model: &str, direction: &str) -> String {
    let name = quoted(&[model]);
    format!(
        "digraph {name} {{\n  rankdir={direction};\n  node [shape=box, fontname=\"sans-serif\"];\n"
    )
}

/// Returns a string literal of the non-empty lines.
fn quoted(lines: &[&str]) -> String {
    let lines: Vec<String> = (lines.iter())
        .filter(|line| !line.is_empty())
        .map(|line| line.replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

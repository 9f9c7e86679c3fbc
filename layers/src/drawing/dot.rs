//! The drawings in Graphviz's language.

use std::fmt::Write;

use super::label::{signed, size};
use super::{Diagram, Volume, Volumes};

impl Diagram {
    /// The graph for `dot`, frames as clusters.
    pub fn dot(&self) -> String {
        let mut text = head(&self.model, "TB");
        let mut ends = Vec::new();
        let mut frames = self.frames.iter().enumerate().peekable();
        for (place, layer) in self.boxes.iter().enumerate() {
            while let Some((index, frame)) = frames.next_if(|(_, frame)| frame.first == place) {
                let label = repeated(&frame.name, frame.times);
                let _ = writeln!(
                    text,
                    "  subgraph cluster{index} {{\n  label={};",
                    quoted(&[&label])
                );
                ends.push(frame.last);
            }
            let kinds: Vec<String> = layer.kinds.iter().map(|kind| signed(kind)).collect();
            let name = repeated(&layer.name, layer.times);
            let lines = [name.as_str(), &kinds.join(", "), &size(&layer.output)];
            let _ = writeln!(text, "  box{place} [label={}];", quoted(&lines));
            while ends.pop_if(|last| *last == place).is_some() {
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
    /// The chain of volumes for `dot`, further heads beside it.
    pub fn dot(&self) -> String {
        let mut text = head(&self.model, "LR");
        let mut chain = |volumes: &[Volume], name: &str, mut before: Option<String>| {
            for (place, volume) in volumes.iter().enumerate() {
                let id = format!("{name}{place}");
                let title = repeated(&volume.name, volume.times);
                let kinds: Vec<String> = volume.kinds.iter().map(|kind| signed(kind)).collect();
                let mut lines = vec![title.as_str()];
                lines.extend(kinds.iter().map(String::as_str));
                let size = size(&volume.output);
                lines.push(&size);
                let _ = writeln!(text, "  {id} [label={}];", quoted(&lines));
                if let Some(before) = before {
                    let _ = writeln!(text, "  {before} -> {id};");
                }
                before = Some(id);
            }
        };
        chain(&self.volumes, "volume", None);
        for (place, head) in self.heads.iter().enumerate() {
            let from = format!("volume{}", head.from);
            chain(&head.volumes, &format!("head{place}_"), Some(from));
        }
        text + "}\n"
    }
}

fn head(model: &str, direction: &str) -> String {
    let name = quoted(&[model]);
    format!(
        "digraph {name} {{\n  rankdir={direction};\n  node [shape=box, fontname=\"sans-serif\"];\n"
    )
}

fn repeated(name: &str, times: usize) -> String {
    match times {
        1 => name.to_owned(),
        _ => format!("{name} ×{times}"),
    }
}

/// Lines between quotation marks, those in them escaped; empty ones left out.
fn quoted(lines: &[&str]) -> String {
    let lines: Vec<String> = (lines.iter())
        .filter(|line| !line.is_empty())
        .map(|line| line.replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

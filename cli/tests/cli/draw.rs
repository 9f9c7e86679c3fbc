//! Tests of `draw`.

use std::fs;
use std::path::Path;

use receptive::registry::{self, Model};
use receptive_layers::drawing::{Diagram, Volumes};

use crate::{error_line, files, json, output, receptive, text};

fn diagram(model: &Model, depth: Option<usize>, train: bool) -> Diagram {
    let graph = model.graph(model.classes, model.input.shape(), train);
    Diagram::from_graph(&graph.expect("recorded"), model.name, depth)
}

#[test]
fn repeated_blocks_are_drawn_once() {
    let model = registry::model("resnet152").expect("listed");
    let volumes = Volumes::from_diagram(&diagram(&model, None, false));
    let named = |name: &str| volumes.volumes.iter().find(|volume| volume.name == name);
    let blocks = named("layer3.1–35").expect("folded");
    assert_eq!(blocks.times, 35);
    assert_eq!(blocks.output, [1, 1024, 14, 14]);
    assert_eq!(
        blocks.kinds,
        ["1x1, 256", "3x3, 256", "1x1, 1024", "+ shortcut"]
    );

    let stages = diagram(&model, Some(1), false);
    let names: Vec<&str> = stages.boxes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "input", "conv1", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"
        ]
    );
}

#[test]
fn lenet5_drawings_match_the_snapshots() {
    insta::assert_snapshot!(output(&["draw", "lenet5"]));
    insta::assert_snapshot!(output(&[
        "draw", "lenet5", "--style", "graph", "--format", "dot"
    ]));
    insta::assert_snapshot!(output(&["draw", "lenet5", "--format", "json"]));
}

/// Pictures that the READMEs show. `RECEPTIVE_BLESS=1` updates them.
const README_PICTURES: [(&str, &[&str]); 4] = [
    ("lenet5-blocks.svg", &["lenet5"]),
    ("vgg16-blocks.svg", &["vgg16"]),
    ("resnet152-blocks.svg", &["resnet152"]),
    ("googlenet-graph.svg", &["googlenet", "--style", "graph"]),
];

#[test]
fn the_pictures_of_the_readmes_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/drawings");
    for (file, arguments) in README_PICTURES {
        let drawn = output(&[&["draw"], arguments].concat());
        let path = folder.join(file);
        if std::env::var_os("RECEPTIVE_BLESS").is_some() {
            fs::write(&path, &drawn).expect("written");
        }
        let committed = fs::read_to_string(&path).expect("committed");
        assert!(
            committed == drawn,
            "{file} differs from the output of `receptive draw`"
        );
    }
}

#[test]
fn the_extension_chooses_the_format() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, begins) in [
        ("a.svg", "<svg"),
        ("a.dot", "digraph"),
        ("a.gv", "digraph"),
        ("a.JSON", "{"),
    ] {
        let path = folder.path().join(file);
        receptive(&["draw", "resnet18", "--depth", "1", "-o", text(&path)])
            .assert()
            .success()
            .stdout("")
            .stderr("");
        let drawn = fs::read_to_string(&path).expect("written");
        assert!(drawn.starts_with(begins), "{file}: {drawn}");
    }
    let path = folder.path().join("b.txt");
    receptive(&["draw", "lenet5", "--format", "json", "-o", text(&path)])
        .assert()
        .success();
    let drawn = json(&fs::read_to_string(&path).expect("written"));
    assert_eq!(drawn["model"], "lenet5");
    assert_eq!(files(folder.path()).len(), 5);
}

#[test]
fn input_classes_and_auxiliary_heads_are_drawn() {
    let drawn = json(&output(&[
        "draw",
        "resnet18",
        "--input",
        "2x3x64x96",
        "--classes",
        "7",
        "--format",
        "json",
    ]));
    let volumes = drawn["volumes"].as_array().expect("a list");
    assert_eq!(volumes[0]["output"], serde_json::json!([2, 3, 64, 96]));
    assert_eq!(
        volumes[volumes.len() - 1]["output"],
        serde_json::json!([2, 7])
    );

    let drawn = json(&output(&[
        "draw",
        "googlenet",
        "--train",
        "--style",
        "graph",
        "--format",
        "json",
    ]));
    assert_eq!(drawn["outputs"].as_array().expect("a list").len(), 3);

    let drawn = json(&output(&[
        "draw",
        "googlenet",
        "--train",
        "--format",
        "json",
    ]));
    let volumes = drawn["volumes"].as_array().expect("a list");
    let heads = drawn["heads"].as_array().expect("a list");
    let found: Vec<Vec<&str>> = (heads.iter())
        .map(|head| {
            let from = head["from"].as_u64().expect("an index") as usize;
            let own = head["volumes"].as_array().expect("a list");
            std::iter::once(&volumes[from])
                .chain(own)
                .map(|volume| volume["name"].as_str().expect("a name"))
                .collect()
        })
        .collect();
    assert_eq!(
        found,
        [
            ["inception4a", "avgpool1", "aux1"],
            ["inception4d", "avgpool2", "aux2"]
        ]
    );
}

#[test]
fn a_failed_drawing_is_an_error_and_leaves_no_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("no/such/folder/a.svg");
    let unknown = folder.path().join("a.bmp");
    let taken = folder.path().join("taken.svg");
    fs::create_dir(&taken).expect("a folder");
    for (arguments, part) in [
        (&["draw", "resnet5O"][..], "resnet50"),
        (&["draw", "lenet5", "-o", text(&nowhere)], "a.svg"),
        (
            &["draw", "lenet5", "-o", text(&unknown)],
            ".svg, .dot, .gv or .json",
        ),
        (&["draw", "lenet5", "-o", text(&taken)], "taken.svg"),
        (
            &["draw", "lenet5", "--input", "1x3x28x28"],
            "expected [batch, 1",
        ),
    ] {
        let line = error_line(arguments);
        assert!(line.contains(part), "{line}");
    }
    for arguments in [
        &["draw", "lenet5", "--style", "cubist"][..],
        &["draw", "lenet5", "--format", "png"],
        &["draw", "lenet5", "--depth", "0"],
        &["draw"],
    ] {
        receptive(arguments).assert().code(2).stdout("");
    }
    assert_eq!(files(folder.path()), ["taken.svg"]);
}

//! No two maps that are there at once share memory.

use proptest::prelude::*;
use receptive_kernels::cpu::{Activation, Border, ConvSpec, Map, WinogradTile};

use crate::compile::algorithm::Algorithm;
use crate::compile::layout::Layout;
use crate::compile::net::{Layer, LayerOp, MapId, Net, Pick};
use crate::compile::weights::{Kernel, Weights};
use crate::graph::Arithmetic;

#[derive(Debug, Clone, Copy)]
enum Add {
    Conv { channels: usize, winograd: bool },
    Sum,
    Concat,
    View,
}

fn add() -> impl Strategy<Value = (Add, usize, usize)> {
    let add = prop_oneof![
        3 => (prop::sample::select(vec![3, 8, 16, 20, 32]), any::<bool>())
            .prop_map(|(channels, winograd)| Add::Conv { channels, winograd }),
        1 => Just(Add::Sum),
        2 => Just(Add::Concat),
        1 => Just(Add::View),
    ];
    (add, any::<usize>(), any::<usize>())
}

fn network(adds: &[(Add, usize, usize)]) -> (Net, Vec<Option<Algorithm>>) {
    let mut net = Net {
        maps: vec![[16, 5, 6]],
        input: MapId(0),
        outputs: Vec::new(),
        output_shapes: Vec::new(),
        layers: Vec::new(),
    };
    let mut algorithms = Vec::new();
    for &(add, a, b) in adds {
        let [a, b] = [a, b].map(|place| MapId(place % net.maps.len()));
        let [channels, height, width] = net.shape(a);
        let mut algorithm = None;
        let (op, inputs, out) = match add {
            Add::Conv {
                channels: out,
                winograd,
            } => {
                let spec = ConvSpec {
                    channels_in: channels,
                    channels_out: out,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: Border {
                        top: 1,
                        bottom: 1,
                        left: 1,
                        right: 1,
                    },
                    dilation: [1, 1],
                    groups: 1,
                };
                algorithm = Some(if winograd {
                    Algorithm::Winograd(WinogradTile::Four)
                } else {
                    Algorithm::Direct
                });
                let weights = Weights::new(Kernel::Fill(1.0), None);
                (LayerOp::Conv { spec, weights }, vec![a], out)
            }
            Add::Sum if net.shape(b) == net.shape(a) => {
                (LayerOp::Binary(Arithmetic::Add), vec![a, b], channels)
            }
            Add::Concat => (LayerOp::Concat, vec![a, b], channels + net.shape(b)[0]),
            Add::View if channels > 16 => {
                let pick = Pick {
                    channels: (16..channels).map(Some).collect(),
                    start: [0, 0],
                    step: [1, 1],
                };
                (LayerOp::Pick(pick), vec![a], channels - 16)
            }
            Add::Sum | Add::View => continue,
        };
        let output = net.new_map([out, height, width]);
        net.layers.push(Layer {
            name: format!("{output}"),
            op,
            inputs,
            residual: None,
            activation: Activation::Identity,
            output,
        });
        algorithms.push(algorithm);
    }
    net.outputs = vec![MapId(net.maps.len() - 1)];
    (net, algorithms)
}

/// The elements of each block of each image, from and to.
fn ranges(map: &Map, images: usize) -> Vec<(usize, usize)> {
    let blocks = (0..images).flat_map(|image| (0..map.blocks()).map(move |block| (image, block)));
    blocks
        .map(|(image, block)| {
            let first = map.offset + image * map.image + block * map.block;
            (first, first + map.block)
        })
        .collect()
}

proptest! {
    #[test]
    fn live_maps_do_not_overlap(
        adds in prop::collection::vec(add(), 1..14),
        lanes in prop::sample::select(vec![4, 8, 16]),
        images in 1..4usize,
    ) {
        let (net, algorithms) = network(&adds);
        let layout = Layout::of(&net, &algorithms, lanes, images);
        let last = |map: MapId| {
            let reads = net.layers.iter().rposition(|layer| layer.inputs.contains(&map));
            if net.outputs.contains(&map) { net.layers.len() } else { reads.unwrap_or(0) }
        };
        // What a layer writes is nothing that a later layer, or itself, still reads.
        for (index, layer) in net.layers.iter().enumerate() {
            // These write where their inputs lie already.
            if matches!(layer.op, LayerOp::Pick(_) | LayerOp::Concat) {
                continue;
            }
            let written = ranges(&layout.map(&net, layer.output), images);
            for (_, at) in &written {
                prop_assert!(*at <= layout.arena);
            }
            let before = net.layers[..index].iter().map(|layer| layer.output);
            for map in before.chain([net.input]) {
                if last(map) < index || layer.output == map {
                    continue;
                }
                for (first, end) in ranges(&layout.map(&net, map), images) {
                    for &(from, to) in &written {
                        prop_assert!(end <= from || to <= first, "{} and {map}\n{net}", layer.output);
                    }
                }
            }
        }
    }
}

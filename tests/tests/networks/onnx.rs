//! Every network written as an ONNX file and read back: the same steps, and the same bits. Of large networks the graphs are
//! compared, which determine the steps.

use burn::tensor::TensorData;
use libtest_mimic::Trial;
use receptive_layers::compile::{Compiled, Options};
use receptive_layers::graph::{Graph, Op, Origin, Value, ValueData, ValueId};
use receptive_layers::network::{Network, NetworkConfig};
use receptive_onnx::{ReadOptions, WriteOptions, read_bytes, write};
use receptive_tests::networks::{self, Visit};

use crate::slow_cases;

/// Parameters above which all elements of a parameter are one number, and the network is not compiled.
const LARGE: usize = 30_000_000;

/// Length of the cycle of noise that fills parameters and images, a prime number.
const CYCLE: usize = 10_007;

/// Returns noise from -1 to 1, in a cycle that starts at `start`.
fn noise(start: usize, len: usize) -> Vec<f32> {
    let number = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) % 20_001;
    let cycle: Vec<f32> = (0..CYCLE)
        .map(|i| number(i) as f32 / 10_000.0 - 1.0)
        .collect();
    let mut noise = cycle[start % CYCLE..].to_vec();
    while noise.len() < len {
        let count = (len - noise.len()).min(CYCLE);
        noise.extend_from_slice(&cycle[..count]);
    }
    noise.truncate(len);
    noise
}

/// Records a network without weights, under the names of the reference.
struct Record;

impl Visit for Record {
    type Output = Graph;

    fn visit<C: NetworkConfig>(self, config: C) -> Graph {
        let input = config.input().shape();
        let forward = |network: &C::Network, images| Network::forward(network, images);
        Graph::trace(|device| config.init(device), input, forward)
            .expect("a network that can be recorded")
            .renamed(C::Network::reference_name)
    }
}

/// Returns the elements of the parameter `name`: products of noise that keep activations in range.
fn elements(name: &str, shape: &[usize], start: usize) -> Vec<f32> {
    let mut elements = noise(start, shape.iter().product());
    // Of the weight `[in, out]` of a fully connected layer, or `[out, in, height, width]`.
    let inputs: usize = match *shape {
        [inputs, _] => inputs,
        [_] => 1,
        _ => shape[1..].iter().product(),
    };
    let scale = (6.0 / inputs as f32).sqrt();
    for element in &mut elements {
        *element = match (name.ends_with("running_var"), shape.len()) {
            (true, _) => 1.0 + 0.5 * *element,
            (false, 1) => 0.3 * *element,
            _ => scale * *element,
        };
    }
    elements
}

fn assert_same_plan(name: &str) {
    let mut graph = networks::visit(name, Record);
    let parameters = graph.values.iter();
    let parameters = parameters.filter(|value| value.parameter().is_some());
    let is_large = parameters.map(Value::len).sum::<usize>() > LARGE;
    for (index, value) in graph.values.iter_mut().enumerate() {
        let Origin::Parameter { name, .. } = &value.origin else {
            continue;
        };
        value.data = Some(match is_large {
            true => ValueData::Fill(0.001 * (index % 10 + 1) as f64),
            false => {
                let elements = elements(name, &value.shape, 97 * index);
                ValueData::Elements(TensorData::new(elements, value.shape.clone()))
            }
        });
    }
    let file = write(&graph, &WriteOptions::default()).expect("written");
    let model = read_bytes(&file, &ReadOptions::default()).expect("read");
    drop(file);
    assert_eq!(model.graph.any_batch, graph.any_batch);
    if is_large {
        return assert_eq!(operations(&model.graph), operations(&graph));
    }
    let [mut recorded, mut read] = [graph, model.graph]
        .map(|graph| Compiled::from_graph(graph, &Options::default()).expect("compiled"));
    assert_eq!(recorded.steps(), read.steps());
    let image = noise(0, recorded.input().iter().product());
    let [expected, found] =
        [&mut recorded, &mut read].map(|plan| plan.run(&image).expect("run").into_first());
    assert!(expected.iter().all(|logit| logit.is_finite()));
    assert_eq!(expected, found);
}

/// An operation with its name, its operands, and the shape of its result.
type Operation<'a> = (&'a str, &'a Op, Vec<Operand<'a>>, &'a [usize]);

/// Where the value of an operand comes from, and its shape.
type Operand<'a> = (Option<&'a str>, &'a [usize]);

/// Returns the operations of a graph: each operand is a parameter or the result of the named operation.
fn operations(graph: &Graph) -> Vec<Operation<'_>> {
    let producer = |id: ValueId| {
        let mut nodes = graph.nodes.iter();
        nodes.find(|node| node.outputs.contains(&id))
    };
    let operand = |&id: &ValueId| {
        let value = graph.value(id);
        let parameter = value.parameter().map(|(name, _)| name);
        let source = parameter.or_else(|| producer(id).map(|node| node.name.as_str()));
        (source, &value.shape[..])
    };
    let nodes = graph.nodes.iter();
    nodes
        .map(|node| {
            let operands = node.inputs.iter().map(operand).collect();
            let shape = graph.shape(node.outputs[0]);
            (node.name.as_str(), &node.op, operands, shape)
        })
        .collect()
}

pub fn trials() -> Vec<Trial> {
    slow_cases(
        "onnx::same_plan",
        networks::names(),
        networks::is_first_of_its_type,
        assert_same_plan,
    )
}

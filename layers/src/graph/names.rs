//! Node names, derived from the module paths of the parameters.
//!
//! A recording does not contain the module whose `forward` an operation ran in. The module follows
//! from the paths of the operation's parameters. A node without parameters is named after the
//! module of its neighbours with parameters.

use std::collections::{HashMap, HashSet};

use super::op::Op;
use super::structure::{Graph, Node};
use super::value::{Origin, ValueId};

impl Graph {
    /// Returns this graph with every parameter's name mapped by `name`, for example by
    /// [`Network::reference_name`](crate::network::Network::reference_name), and the nodes renamed
    /// accordingly.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        for value in &mut self.values {
            if let Origin::Parameter { name: path, .. } = &mut value.origin {
                *path = name(path);
            }
        }
        name_nodes(&mut self);
        self
    }
}

/// Names every node: by the module path of its parameters, or by the enclosing module and the
/// operation. Nodes that would share a name are numbered from 1.
pub(super) fn name_nodes(graph: &mut Graph) {
    let scopes = Scopes::from_graph(graph);
    // The number of input-dependent nodes with parameters of each module.
    let mut nodes_of_module: HashMap<&str, usize> = HashMap::new();
    for (module, _) in scopes
        .modules
        .iter()
        .zip(&scopes.constant)
        .filter(|(_, constant)| !**constant)
    {
        if let Some(module) = module {
            *nodes_of_module.entry(module).or_default() += 1;
        }
    }
    // A module with a single node gives the node its own path.
    let stems: Vec<String> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| match &scopes.modules[index] {
            Some(module)
                if !module.is_empty()
                    && !scopes.constant[index]
                    && nodes_of_module[module.as_str()] == 1 =>
            {
                module.clone()
            }
            Some(module) => join(module, node.op.word()),
            None => join(&scopes.enclosing[index], node.op.word()),
        })
        .collect();

    let mut count: HashMap<&str, usize> = HashMap::new();
    for stem in &stems {
        *count.entry(stem).or_default() += 1;
    }
    let mut taken: HashSet<String> = HashSet::new();
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (node, stem) in graph.nodes.iter_mut().zip(&stems) {
        let number = last.entry(stem).or_default();
        let mut numbered = count[stem.as_str()] > 1;
        node.name = loop {
            let name = if numbered {
                *number += 1;
                format!("{stem}{number}")
            } else {
                stem.clone()
            };
            if taken.insert(name.clone()) {
                break name;
            }
            numbered = true;
        };
    }
}

fn join(scope: &str, word: &str) -> String {
    match scope {
        "" => word.to_owned(),
        _ => format!("{scope}.{word}"),
    }
}

/// The module of every node.
struct Scopes {
    /// The module that holds the node's parameters; `None` for a node without parameters.
    modules: Vec<Option<String>>,
    /// Whether the node is constant: none of its operands depends on the network's input.
    constant: Vec<bool>,
    /// The path of the module that encloses the node.
    enclosing: Vec<String>,
}

impl Scopes {
    fn from_graph(graph: &Graph) -> Self {
        let flow = DataFlow::from_graph(graph);
        let modules: Vec<Option<String>> =
            graph.nodes.iter().map(|node| flow.module(node)).collect();
        let constant = |node: &Node| {
            node.outputs
                .iter()
                .all(|id| flow.constants.contains_key(id))
        };
        let mut scopes = Self {
            modules,
            constant: graph.nodes.iter().map(constant).collect(),
            enclosing: Vec::new(),
        };
        for index in 0..graph.nodes.len() {
            let scope = match &scopes.modules[index] {
                Some(module) => parent(module).to_owned(),
                None => scopes.enclosing_module(graph, &flow, index),
            };
            scopes.enclosing.push(scope);
        }
        scopes
    }

    /// Returns the enclosing module of a node without parameters. The enclosing modules of all
    /// earlier nodes are known.
    fn enclosing_module(&self, graph: &Graph, flow: &DataFlow, index: usize) -> String {
        let node = &graph.nodes[index];
        let predecessors = flow.predecessors[index].clone();
        // A skip connection starts in an earlier block, so only its other end identifies the block.
        let nearest: Vec<usize> = predecessors
            .iter()
            .copied()
            .filter(|&one| {
                !predecessors
                    .iter()
                    .any(|&other| flow.depends_on(other, one))
            })
            .collect();
        let scope = common_prefix(nearest.iter().map(|&one| self.enclosing[one].as_str()));
        let merges_branches = predecessors.len() > 1;
        if merges_branches || node.op.is_activation() {
            return scope;
        }
        // The common module of the nearest nodes with parameters that follow `from`.
        let scope_after = |from: &[usize]| {
            let mut found = Vec::new();
            let mut open = from.to_vec();
            while let Some(one) = open.pop() {
                match &self.modules[one] {
                    Some(module) => found.push(parent(module)),
                    None => open.extend(&flow.successors[one]),
                }
            }
            common_prefix(found)
        };
        match predecessors[..] {
            // The node starts a branch. Its module is the longest that it shares with a sibling
            // branch: other siblings may lead to auxiliary heads.
            [one] if flow.successors[one].len() > 1 => {
                let own = scope_after(&[index]);
                let siblings = flow.successors[one].iter().filter(|&&other| other != index);
                siblings
                    .map(|&other| common_prefix([own.as_str(), &scope_after(&[other])]))
                    .max_by_key(String::len)
                    .unwrap_or_default()
            }
            // The node lies between two blocks.
            [one]
                if matches!(node.op, Op::AdaptiveAvgPool2d { .. })
                    || self.count_weighted_layers(graph, &scope) == 1
                    || flow.merges_branches(graph, one) =>
            {
                common_prefix([scope.as_str(), &scope_after(&[index])])
            }
            _ => scope,
        }
    }

    /// Returns the number of convolutions and fully connected layers in `module`.
    fn count_weighted_layers(&self, graph: &Graph, module: &str) -> usize {
        let prefix = format!("{module}.");
        let nodes = graph.nodes.iter().zip(&self.modules);
        nodes
            .filter(|(node, _)| matches!(node.op, Op::Conv2d(_) | Op::Linear))
            .filter(|(_, path)| path.as_ref().is_some_and(|path| path.starts_with(&prefix)))
            .count()
    }
}

/// Data flow between the nodes that depend on the input, and the parameters behind constant values.
struct DataFlow {
    /// The input-dependent nodes whose outputs each node reads.
    predecessors: Vec<Vec<usize>>,
    /// The input-dependent nodes that read each node's outputs.
    successors: Vec<Vec<usize>>,
    /// The parameters that each constant value is computed from.
    constants: HashMap<ValueId, Vec<String>>,
}

impl DataFlow {
    fn from_graph(graph: &Graph) -> Self {
        let mut constants: HashMap<ValueId, Vec<String>> = HashMap::new();
        for (id, value) in graph.ids() {
            match &value.origin {
                Origin::Parameter { name, .. } => constants.insert(id, vec![name.clone()]),
                Origin::Constant => constants.insert(id, Vec::new()),
                Origin::Input | Origin::Computed => None,
            };
        }
        let mut producers: HashMap<ValueId, usize> = HashMap::new();
        let mut predecessors = vec![Vec::new(); graph.nodes.len()];
        let mut successors = vec![Vec::new(); graph.nodes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            let parameters: Option<Vec<Vec<String>>> = node
                .inputs
                .iter()
                .map(|id| constants.get(id).cloned())
                .collect();
            if let Some(parameters) = parameters {
                let parameters = parameters.concat();
                constants.extend(node.outputs.iter().map(|&id| (id, parameters.clone())));
                continue;
            }
            for input in &node.inputs {
                if let Some(&producer) = producers.get(input)
                    && !predecessors[index].contains(&producer)
                {
                    predecessors[index].push(producer);
                    successors[producer].push(index);
                }
            }
            producers.extend(node.outputs.iter().map(|&id| (id, index)));
        }
        Self {
            predecessors,
            successors,
            constants,
        }
    }

    /// Returns the innermost module that holds all parameters of `node`, or `None` without
    /// parameters.
    fn module(&self, node: &Node) -> Option<String> {
        let depends_on_input = (node.inputs.iter()).any(|id| !self.constants.contains_key(id));
        let ids = if depends_on_input {
            &node.inputs
        } else {
            &node.outputs
        };
        let names: Vec<&String> = ids
            .iter()
            .filter_map(|id| self.constants.get(id))
            .flatten()
            .collect();
        (!names.is_empty()).then(|| common_prefix(names.iter().map(|name| parent(name))))
    }

    /// Whether `node` merges branches, or is an activation behind a node that does.
    fn merges_branches(&self, graph: &Graph, mut node: usize) -> bool {
        while graph.nodes[node].op.is_activation()
            && let [before] = self.predecessors[node][..]
        {
            node = before;
        }
        self.predecessors[node].len() > 1
    }

    /// Whether `node` depends on `ancestor`, directly or through other nodes.
    fn depends_on(&self, node: usize, ancestor: usize) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let predecessors = self.predecessors[node].iter().copied();
            for one in predecessors.filter(|&one| one >= ancestor) {
                if one == ancestor {
                    return true;
                }
                if seen.insert(one) {
                    open.push(one);
                }
            }
        }
        false
    }
}

/// Returns `path` without its last name.
fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Returns the longest common prefix of dotted paths, in whole names.
fn common_prefix<'a>(paths: impl IntoIterator<Item = &'a str>) -> String {
    let mut paths = paths.into_iter().map(|path| {
        let names = path.split('.').filter(|name| !name.is_empty());
        names.collect::<Vec<_>>()
    });
    let mut shared = paths.next().unwrap_or_default();
    for path in paths {
        let same = shared.iter().zip(&path).take_while(|(a, b)| a == b).count();
        shared.truncate(same);
    }
    shared.join(".")
}

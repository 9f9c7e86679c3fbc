//! Naming nodes after the modules they belong to.
//!
//! Recording keeps no trace of which module's `forward` an operation ran in; the paths of its
//! parameters tell. A node without parameters belongs where its neighbours with parameters do.

use std::collections::{HashMap, HashSet};

use super::{Graph, Node, Op, Origin, ValueId};

/// Names every node: by the module path of its parameters, or by its place and what it does,
/// numbered where there are several.
pub(super) fn name_nodes(graph: &mut Graph) {
    let places = Places::of(graph);
    let mut sharers: HashMap<&str, usize> = HashMap::new();
    for (module, _) in places
        .modules
        .iter()
        .zip(&places.given)
        .filter(|(_, given)| !**given)
    {
        if let Some(module) = module {
            *sharers.entry(module).or_default() += 1;
        }
    }
    // The one node that a module consists of is called as the module is.
    let stems: Vec<String> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| match &places.modules[index] {
            Some(module)
                if !module.is_empty() && !places.given[index] && sharers[module.as_str()] == 1 =>
            {
                module.clone()
            }
            Some(module) => join(module, node.op.word()),
            None => join(&places.scopes[index], node.op.word()),
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

/// Where each node is.
struct Places {
    /// The module whose parameters it reads.
    modules: Vec<Option<String>>,
    /// Whether it reads nothing that depends on the input.
    given: Vec<bool>,
    /// The module that it is a part of.
    scopes: Vec<String>,
}

impl Places {
    fn of(graph: &Graph) -> Self {
        let flow = Flow::of(graph);
        let modules: Vec<Option<String>> =
            graph.nodes.iter().map(|node| flow.module(node)).collect();
        let given = |node: &Node| node.outputs.iter().all(|id| flow.given.contains_key(id));
        let mut places = Self {
            modules,
            given: graph.nodes.iter().map(given).collect(),
            scopes: Vec::new(),
        };
        for index in 0..graph.nodes.len() {
            let scope = match &places.modules[index] {
                Some(module) => parent(module).to_owned(),
                None => places.scope(graph, &flow, index),
            };
            places.scopes.push(scope);
        }
        places
    }

    /// The scope of a node without parameters, those before it being known.
    fn scope(&self, graph: &Graph, flow: &Flow, index: usize) -> String {
        let node = &graph.nodes[index];
        let before = flow.before[index].clone();
        // A skip connection comes from a block before: its other end counts.
        let nearest: Vec<usize> = before
            .iter()
            .copied()
            .filter(|&one| !before.iter().any(|&other| flow.leads(one, other)))
            .collect();
        let within = common(nearest.iter().map(|&one| self.scopes[one].as_str()));
        let merges = before.len() > 1;
        if merges || node.op.is_activation() {
            return within;
        }
        let after = |of: &[usize]| {
            let mut found = Vec::new();
            let mut open = of.to_vec();
            while let Some(one) = open.pop() {
                match &self.modules[one] {
                    Some(module) => found.push(parent(module)),
                    None => open.extend(&flow.after[one]),
                }
            }
            common(found)
        };
        match before[..] {
            // It begins a branch, beside others that begin at the same value: of the module that it shares with
            // the nearest of them. Others may lead to auxiliary heads.
            [one] if flow.after[one].len() > 1 => {
                let own = after(&[index]);
                let others = flow.after[one].iter().filter(|&&other| other != index);
                others
                    .map(|&other| common([own.as_str(), &after(&[other])]))
                    .max_by_key(String::len)
                    .unwrap_or_default()
            }
            // It comes after a whole block, and before another.
            [one]
                if matches!(node.op, Op::AdaptiveAvgPool2d { .. })
                    || self.convolutions(graph, &within) == 1
                    || flow.is_merged(graph, one) =>
            {
                common([within.as_str(), &after(&[index])])
            }
            _ => within,
        }
    }

    /// How many convolutions and fully connected layers a module has.
    fn convolutions(&self, graph: &Graph, module: &str) -> usize {
        let prefix = format!("{module}.");
        let nodes = graph.nodes.iter().zip(&self.modules);
        nodes
            .filter(|(node, _)| matches!(node.op, Op::Conv2d(_) | Op::Linear))
            .filter(|(_, path)| path.as_ref().is_some_and(|path| path.starts_with(&prefix)))
            .count()
    }
}

/// Which nodes read which, and which parameters reach them without the input.
struct Flow {
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// The parameters that a value is made of, of values that do not depend on the input.
    given: HashMap<ValueId, Vec<String>>,
}

impl Flow {
    fn of(graph: &Graph) -> Self {
        let mut given: HashMap<ValueId, Vec<String>> = HashMap::new();
        for (id, value) in graph.ids() {
            match &value.origin {
                Origin::Parameter { name, .. } => given.insert(id, vec![name.clone()]),
                Origin::Constant => given.insert(id, Vec::new()),
                Origin::Input | Origin::Computed => None,
            };
        }
        let mut producers: HashMap<ValueId, usize> = HashMap::new();
        let mut before = vec![Vec::new(); graph.nodes.len()];
        let mut after = vec![Vec::new(); graph.nodes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            let parameters: Option<Vec<Vec<String>>> = node
                .inputs
                .iter()
                .map(|id| given.get(id).cloned())
                .collect();
            if let Some(parameters) = parameters {
                let parameters = parameters.concat();
                given.extend(node.outputs.iter().map(|&id| (id, parameters.clone())));
                continue;
            }
            for input in &node.inputs {
                if let Some(&producer) = producers.get(input)
                    && !before[index].contains(&producer)
                {
                    before[index].push(producer);
                    after[producer].push(index);
                }
            }
            producers.extend(node.outputs.iter().map(|&id| (id, index)));
        }
        Self {
            before,
            after,
            given,
        }
    }

    /// The module that all parameters of a node have in common.
    fn module(&self, node: &Node) -> Option<String> {
        let depends = node.inputs.iter().any(|id| !self.given.contains_key(id));
        let ids = if depends { &node.inputs } else { &node.outputs };
        let names: Vec<&String> = ids
            .iter()
            .filter_map(|id| self.given.get(id))
            .flatten()
            .collect();
        (!names.is_empty()).then(|| common(names.iter().map(|name| parent(name))))
    }

    /// Whether a node's output is what branches came together to, its activation included.
    fn is_merged(&self, graph: &Graph, mut node: usize) -> bool {
        while graph.nodes[node].op.is_activation()
            && let [before] = self.before[node][..]
        {
            node = before;
        }
        self.before[node].len() > 1
    }

    /// Whether `to` depends on `from`.
    fn leads(&self, from: usize, to: usize) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![to];
        while let Some(node) = open.pop() {
            let before = self.before[node].iter().copied();
            for one in before.filter(|&one| one >= from) {
                if one == from {
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

/// A path without its last name.
fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// The longest path that all begin with, name by name.
fn common<'a>(paths: impl IntoIterator<Item = &'a str>) -> String {
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

//! Plans of the convolutions that ran, by their weights.
//!
//! Weights are told apart by the addresses of their tensors' memory. An entry holds the tensors, so that
//! while it lives no other tensor comes to these addresses; and Burn's backends write no memory that a
//! second tensor shares, so that the values at these addresses stay what they were when they were
//! packed. A weight that changes gets memory of its own, and an entry of its own.
//!
//! However many weights are alive, all that are in use stay packed. An entry goes when nobody else holds one
//! of its tensors, for then nobody can ask for it again. Tensors that are views of the same memory, or that
//! are in several entries, hide that; so a plan goes, too, that was not used for as long as [`ROUNDS`] uses
//! of every entry take. Packing takes about as long as running, so that if it is asked for after all, this
//! cost one part in `ROUNDS` of the time since.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use burn::backend::tensor::FloatTensor;

use super::fold::fold;
use super::host::Host;
use super::program::{Geometry, Packing};
use crate::cpu::Buffer;
use crate::ops::definition::convolution::{Bias, Layer, Norm};
use crate::plan::PackedProgram;

/// Uses of every entry after which a plan that had none goes.
const ROUNDS: u64 = 64;

/// What a layer is packed from: the address and length of each of its tensors, and the epsilon's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    tensors: [(usize, usize); 6],
    epsilon: u64,
}

impl Key {
    /// `None` when a tensor is none that can be told by its address.
    pub fn new<B: Host>(layer: &Layer<B>) -> Option<Self> {
        let place = |x: &FloatTensor<B>| {
            let floats = B::floats(x).filter(|_| B::is_shareable(x))?;
            Some((floats.as_ptr().addr(), floats.len()))
        };
        let mut key = Self {
            tensors: [(0, 0); 6],
            epsilon: 0,
        };
        key.tensors[0] = place(&layer.weight)?;
        if let Bias::Each(bias) = &layer.bias {
            key.tensors[1] = place(bias)?;
        }
        if let Norm::Batch {
            gamma,
            beta,
            mean,
            variance,
            epsilon,
        } = &layer.norm
        {
            for (at, x) in key.tensors[2..]
                .iter_mut()
                .zip([gamma, beta, mean, variance])
            {
                *at = place(x)?;
            }
            key.epsilon = epsilon.to_bits();
        }
        Some(key)
    }
}

/// The plans of one layer's weights.
struct Entry {
    /// For each geometry that they met.
    plans: Vec<Kept>,
    /// Whether the entry alone holds one of the layer's tensors. It holds all of them.
    is_forgotten: Box<dyn Fn() -> bool + Send>,
}

struct Kept {
    geometry: Geometry,
    packing: Packing,
    /// Plans of one packing share the packed weights.
    plan: Arc<PackedProgram>,
    /// When it was used.
    used: u64,
}

impl Entry {
    fn of<B: Host>(layer: Layer<B>) -> Self {
        let mut tensors = vec![layer.weight];
        if let Bias::Each(bias) = layer.bias {
            tensors.push(bias);
        }
        if let Norm::Batch {
            gamma,
            beta,
            mean,
            variance,
            ..
        } = layer.norm
        {
            tensors.extend([gamma, beta, mean, variance]);
        }
        Self {
            plans: Vec::new(),
            is_forgotten: Box::new(move || tensors.iter().any(B::is_unshared)),
        }
    }
}

#[derive(Default)]
struct Cache {
    entries: HashMap<Key, Entry>,
    /// Counts uses.
    clock: u64,
    /// When it was last swept.
    swept: u64,
}

/// What is kept for a geometry.
enum Found {
    Plan(Arc<PackedProgram>),
    /// A plan of another size or activation has the weights packed as this one wants them.
    Weights(Arc<Buffer>),
    Nothing,
}

impl Cache {
    fn find(&mut self, key: &Key, geometry: &Geometry) -> Found {
        self.clock += 1;
        if self.clock - self.swept > self.entries.len() as u64 {
            self.sweep();
        }
        let Some(entry) = self.entries.get_mut(key) else {
            return Found::Nothing;
        };
        if let Some(kept) = (entry.plans.iter_mut()).find(|kept| kept.geometry == *geometry) {
            kept.used = self.clock;
            return Found::Plan(kept.plan.clone());
        }
        let packing = geometry.packing();
        let mut plans = entry.plans.iter();
        match plans.find(|kept| kept.packing == packing) {
            Some(kept) => Found::Weights(kept.plan.weights()),
            None => Found::Nothing,
        }
    }

    /// Drops what nobody can ask for and what nobody has asked for.
    fn sweep(&mut self) {
        self.swept = self.clock;
        // What one entry lets go of may leave another alone with a tensor.
        let mut before = self.entries.len() + 1;
        while self.entries.len() < before {
            before = self.entries.len();
            self.entries.retain(|_, entry| !(entry.is_forgotten)());
        }
        let oldest = (self.clock).saturating_sub(ROUNDS * self.entries.len() as u64);
        self.entries.retain(|_, entry| {
            entry.plans.retain(|kept| kept.used >= oldest);
            !entry.plans.is_empty()
        });
    }

    fn insert<B: Host>(
        &mut self,
        key: Key,
        geometry: Geometry,
        layer: Layer<B>,
        plan: Arc<PackedProgram>,
    ) {
        let entry = self.entries.entry(key).or_insert_with(|| Entry::of(layer));
        // Another thread may have been as quick.
        if entry.plans.iter().all(|kept| kept.geometry != geometry) {
            entry.plans.push(Kept {
                geometry,
                packing: geometry.packing(),
                plan,
                used: self.clock,
            });
        }
    }
}

/// As [`plan`], with what `cache` keeps and weights from `pack`.
fn plan_of<B: Host>(
    cache: &Mutex<Cache>,
    key: Key,
    geometry: Geometry,
    layer: Layer<B>,
    pack: impl FnOnce(&Layer<B>) -> Buffer,
) -> Arc<PackedProgram> {
    let found = lock(cache).find(&key, &geometry);
    let weights = match found {
        Found::Plan(plan) => return plan,
        Found::Weights(weights) => weights,
        Found::Nothing => {
            lock(cache).sweep();
            Arc::new(pack(&layer))
        }
    };
    let plan = Arc::new(geometry.load(weights));
    lock(cache).insert(key, geometry, layer, plan.clone());
    plan
}

fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(|error| error.into_inner())
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// The plan of a layer, whose `key` this is.
pub(super) fn plan<B: Host>(key: Key, geometry: Geometry, layer: Layer<B>) -> Arc<PackedProgram> {
    plan_of(&CACHE, key, geometry, layer, |layer| {
        let (weights, biases) = fold(layer).expect("a key is of readable tensors");
        geometry.pack(&weights, &biases)
    })
}

/// Forgets all plans.
pub(in crate::ops) fn clear() {
    lock(&CACHE).entries.clear();
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::backend::Flex;
    use burn::backend::flex::FlexTensor;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Shape, TensorData};

    use super::*;
    use crate::cpu::Activation;

    fn tensor<const D: usize>(value: f32, shape: [usize; D]) -> FlexTensor {
        let len = shape.iter().product();
        FlexTensor::from_data(TensorData::new(vec![value; len], shape))
    }

    fn weight(value: f32) -> FlexTensor {
        tensor(value, [16, 1, 3, 3])
    }

    fn layer(weight: &FlexTensor) -> Layer<Flex> {
        Layer {
            weight: weight.clone(),
            bias: Bias::Absent,
            norm: Norm::Absent,
            options: ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
            activation: Activation::Identity,
        }
    }

    fn biased(weight: &FlexTensor, bias: &FlexTensor) -> Layer<Flex> {
        Layer {
            bias: Bias::Each(bias.clone()),
            ..layer(weight)
        }
    }

    /// Runs `layer` over images of this size, as far as that is the cache's; whether it was packed.
    fn packs(cache: &Mutex<Cache>, layer: Layer<Flex>, size: usize) -> bool {
        let geometry = Geometry::new(&[1, 1, size, size], &layer).expect("runs here");
        let key = Key::new(&layer).expect("floats");
        let mut packs = false;
        plan_of(cache, key, geometry, layer, |layer| {
            packs = true;
            let (weights, biases) = fold(layer).expect("floats");
            geometry.pack(&weights, &biases)
        });
        packs
    }

    fn entries(cache: &Mutex<Cache>) -> usize {
        lock(cache).entries.len()
    }

    #[test]
    fn however_many_are_alive_each_is_packed_once() {
        let cache = Mutex::default();
        let weights: Vec<FlexTensor> = (0..1000).map(|i| weight(i as f32)).collect();
        for round in 0..3 {
            for weight in &weights {
                assert_eq!(packs(&cache, layer(weight), 8), round == 0);
            }
        }
        assert_eq!(entries(&cache), 1000);
    }

    #[test]
    fn sizes_and_activations_share_what_is_packed() {
        let cache = Mutex::default();
        let a = weight(1.0);
        assert!(packs(&cache, layer(&a), 8));
        assert!(!packs(&cache, layer(&a), 9));
        let activated = Layer {
            activation: Activation::Relu,
            ..layer(&a)
        };
        assert!(!packs(&cache, activated, 9));
        assert_eq!(entries(&cache), 1);
        // Another order of the same weights.
        let strided = Layer {
            options: ConvOptions::new([2, 2], [1, 1], [1, 1], 1),
            ..layer(&a)
        };
        assert!(packs(&cache, strided, 9));
    }

    #[test]
    fn weights_that_are_gone_go_with_all_their_plans() {
        let cache = Mutex::default();
        let [a, b] = [1.0, 2.0].map(weight);
        packs(&cache, layer(&a), 8);
        packs(&cache, layer(&a), 9);
        drop(a);
        assert!(packs(&cache, layer(&b), 8));
        assert_eq!(entries(&cache), 1);
        assert!(!packs(&cache, layer(&b), 8));
    }

    #[test]
    fn so_do_those_whose_bias_is_gone() {
        let cache = Mutex::default();
        let a = weight(1.0);
        let biases = [1.0, 2.0].map(|value| tensor(value, [16]));
        for bias in &biases {
            assert!(packs(&cache, biased(&a, bias), 8));
        }
        let [gone, kept] = biases;
        drop(gone);
        packs(&cache, layer(&a), 8);
        assert_eq!(entries(&cache), 2);
        assert!(!packs(&cache, biased(&a, &kept), 8));
        // The last of several entries of one weight, too.
        drop((a, kept));
        packs(&cache, layer(&weight(3.0)), 8);
        assert_eq!(entries(&cache), 1);
    }

    /// Hits alone let go of what is gone.
    #[test]
    fn weights_that_are_gone_go_while_others_run() {
        let cache = Mutex::default();
        let [a, b] = [1.0, 2.0].map(weight);
        packs(&cache, layer(&a), 8);
        packs(&cache, layer(&b), 8);
        drop(a);
        for _ in 0..3 {
            assert!(!packs(&cache, layer(&b), 8));
        }
        assert_eq!(entries(&cache), 1);
    }

    #[test]
    fn what_is_not_used_for_many_rounds_goes() {
        let cache = Mutex::default();
        let [a, b] = [1.0, 2.0].map(weight);
        packs(&cache, layer(&a), 8);
        packs(&cache, layer(&b), 8);
        // Once in each such time is enough.
        for _ in 0..3 {
            for _ in 0..ROUNDS {
                assert!(!packs(&cache, layer(&b), 8));
            }
            assert!(!packs(&cache, layer(&a), 8));
        }
        for _ in 0..3 * ROUNDS {
            assert!(!packs(&cache, layer(&b), 8));
        }
        assert_eq!(entries(&cache), 1);
        assert!(packs(&cache, layer(&a), 8));
    }

    /// What the cache stands on.
    #[test]
    fn memory_that_is_shared_is_not_written() {
        let a = weight(1.0);
        let held = a.clone();
        let mut changed = a;
        changed.storage_mut::<f32>()[0] = 5.0;
        assert_eq!(Flex::floats(&held).expect("floats")[0], 1.0);
        assert_ne!(Key::new(&layer(&held)), Key::new(&layer(&changed)));
        assert_eq!(changed.layout().shape(), &Shape::new([16, 1, 3, 3]));
    }
}

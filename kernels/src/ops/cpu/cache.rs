//! Plans of the convolutions that ran, by their weights.
//!
//! Weights are told apart by the addresses of their tensors' memory. An entry holds the tensors, so that
//! while it lives no other tensor comes to these addresses; and Burn's backends write no memory that a
//! second tensor shares, so that the values at these addresses stay what they were when they were
//! packed. A weight that changes gets memory of its own, and an entry of its own.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use burn::backend::tensor::FloatTensor;

use super::Host;
use super::fold::fold;
use super::program::Geometry;
use crate::ops::convolution::{Bias, Layer, Norm};
use crate::plan::Loaded;

/// Packed weights, in bytes, beyond which the least recently used entries go.
const MOST: usize = 1 << 30;

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
    plans: Vec<(Geometry, Arc<Loaded>)>,
    /// When they were used.
    used: u64,
    /// Whether the entry alone holds the weight. It holds the layer's tensors.
    is_forgotten: Box<dyn Fn() -> bool + Send>,
}

impl Entry {
    fn of<B: Host>(layer: Layer<B>) -> Self {
        Self {
            plans: Vec::new(),
            used: 0,
            is_forgotten: Box::new(move || B::is_unshared(&layer.weight)),
        }
    }

    fn bytes(&self) -> usize {
        self.plans.iter().map(|(_, plan)| plan.bytes()).sum()
    }
}

struct Cache {
    entries: HashMap<Key, Entry>,
    /// Counts uses.
    clock: u64,
    /// Bytes of packed weights at most.
    most: usize,
}

impl Cache {
    fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            clock: 0,
            most,
        }
    }

    fn find(&mut self, key: &Key, geometry: &Geometry) -> Option<Arc<Loaded>> {
        let entry = self.entries.get_mut(key)?;
        self.clock += 1;
        entry.used = self.clock;
        let (_, plan) = entry.plans.iter().find(|(of, _)| of == geometry)?;
        Some(plan.clone())
    }

    /// Drops entries whose weights are gone, then the least recently used until `more` bytes fit.
    fn make_room(&mut self, more: usize) {
        self.entries.retain(|_, entry| !(entry.is_forgotten)());
        let mut bytes: usize = self.entries.values().map(Entry::bytes).sum();
        while bytes + more > self.most
            && let Some((&oldest, entry)) = self.entries.iter().min_by_key(|(_, e)| e.used)
        {
            bytes -= entry.bytes();
            self.entries.remove(&oldest);
        }
    }

    fn insert<B: Host>(
        &mut self,
        key: Key,
        geometry: Geometry,
        layer: Layer<B>,
        plan: Arc<Loaded>,
    ) {
        self.make_room(plan.bytes());
        self.clock += 1;
        let entry = self.entries.entry(key).or_insert_with(|| Entry::of(layer));
        entry.used = self.clock;
        // Another thread may have been as quick.
        if entry.plans.iter().all(|(of, _)| *of != geometry) {
            entry.plans.push((geometry, plan));
        }
    }
}

fn cache() -> MutexGuard<'static, Cache> {
    static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(|| Mutex::new(Cache::new(MOST)));
    CACHE.lock().unwrap_or_else(|error| error.into_inner())
}

/// The plan of a layer, whose `key` this is.
pub(super) fn plan<B: Host>(key: Key, geometry: Geometry, layer: Layer<B>) -> Arc<Loaded> {
    if let Some(plan) = cache().find(&key, &geometry) {
        return plan;
    }
    let (weights, biases) = fold(&layer).expect("a key is of readable tensors");
    let plan = Arc::new(geometry.load(&weights, &biases));
    cache().insert(key, geometry, layer, plan.clone());
    plan
}

/// Forgets all plans.
pub(in crate::ops) fn clear() {
    cache().entries.clear();
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::backend::Flex;
    use burn::backend::flex::FlexTensor;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Shape, TensorData};

    use super::*;
    use crate::cpu::Activation;

    fn weight(value: f32) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(vec![value; 16 * 9], [16, 1, 3, 3]))
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

    fn geometry(size: usize) -> Geometry {
        Geometry::new(&[1, 1, size, size], &layer(&weight(0.0))).expect("runs here")
    }

    /// Packs as [`plan`] does; gives the bytes.
    fn insert(cache: &mut Cache, weight: &FlexTensor, size: usize) -> usize {
        let (layer, geometry) = (layer(weight), geometry(size));
        let key = Key::new(&layer).expect("floats");
        let (weights, biases) = fold(&layer).expect("floats");
        let plan = Arc::new(geometry.load(&weights, &biases));
        let bytes = plan.bytes();
        cache.insert(key, geometry, layer, plan);
        bytes
    }

    fn has(cache: &mut Cache, weight: &FlexTensor, size: usize) -> bool {
        let key = Key::new(&layer(weight)).expect("floats");
        cache.find(&key, &geometry(size)).is_some()
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let [a, b, c] = [1.0, 2.0, 3.0].map(weight);
        let mut cache = Cache::new(usize::MAX);
        let bytes = insert(&mut cache, &a, 8);
        cache.most = 2 * bytes;
        insert(&mut cache, &b, 8);
        assert!(has(&mut cache, &a, 8));
        insert(&mut cache, &c, 8);
        assert!(has(&mut cache, &a, 8) && has(&mut cache, &c, 8));
        assert!(!has(&mut cache, &b, 8));
    }

    #[test]
    fn weights_that_are_gone_go_with_all_their_plans() {
        let [a, b] = [1.0, 2.0].map(weight);
        let mut cache = Cache::new(usize::MAX);
        insert(&mut cache, &a, 8);
        insert(&mut cache, &a, 9);
        assert_eq!(cache.entries.len(), 1);
        assert!(has(&mut cache, &a, 8) && has(&mut cache, &a, 9));
        drop(a);
        insert(&mut cache, &b, 8);
        assert_eq!(cache.entries.len(), 1);
        assert!(has(&mut cache, &b, 8));
    }

    #[test]
    fn one_larger_than_all_that_is_kept_runs() {
        let a = weight(1.0);
        let mut cache = Cache::new(1);
        insert(&mut cache, &a, 8);
        assert!(has(&mut cache, &a, 8));
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

//! Cache of convolution programs with packed weights, keyed by the memory of the weights.
//!
//! A [`CacheKey`] holds the addresses of the tensors of a layer. An entry holds the tensors, so that no
//! other tensor can be allocated at these addresses while the entry lives. Burn's host backends do not
//! write memory that several tensors share (copy-on-write), so the values at these addresses stay equal
//! to the values that were packed. A weight that changes has new memory, and a new entry.
//!
//! The number of entries is not limited: all weights in use stay packed. An entry is evicted when one
//! of its tensors is held by nothing else, since its key can then never be looked up again. Views of
//! the same memory, and tensors in several entries, prevent this; therefore a program is also evicted
//! when it is not used during [`MAX_UNUSED_ROUNDS`] rounds, where a round is one use of every entry.
//! Packing takes about as long as running, so that repacking an evicted program costs at most one part
//! in `MAX_UNUSED_ROUNDS` of the time since its last use.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use burn::backend::tensor::FloatTensor;

use super::fold::fold_batch_norm;
use super::host::HostBackend;
use super::program::{ConvGeometry, WeightPacking};
use crate::cpu::Buffer;
use crate::ops::definition::convolution::{Bias, Layer, Norm};
use crate::plan::PackedProgram;

/// Rounds, of one lookup per entry each, after which an unused program is evicted.
const MAX_UNUSED_ROUNDS: u64 = 64;

/// Identity of the tensors that determine the folded weights of a layer: address and length of each
/// tensor, and the bits of the norm's epsilon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    /// Weight, bias, gamma, beta, mean and variance; `(0, 0)` for an absent tensor.
    tensors: [(usize, usize); 6],
    epsilon: u64,
}

impl CacheKey {
    /// The key of a layer; `None` if a tensor is not contiguous or not copy-on-write.
    pub fn new<B: HostBackend>(layer: &Layer<B>) -> Option<Self> {
        let address_and_len = |x: &FloatTensor<B>| {
            let values = B::as_f32_slice(x).filter(|_| B::is_copy_on_write(x))?;
            Some((values.as_ptr().addr(), values.len()))
        };
        let mut key = Self {
            tensors: [(0, 0); 6],
            epsilon: 0,
        };
        key.tensors[0] = address_and_len(&layer.weight)?;
        if let Bias::Each(bias) = &layer.bias {
            key.tensors[1] = address_and_len(bias)?;
        }
        if let Norm::Batch {
            gamma,
            beta,
            mean,
            variance,
            epsilon,
        } = &layer.norm
        {
            for (identity, x) in key.tensors[2..]
                .iter_mut()
                .zip([gamma, beta, mean, variance])
            {
                *identity = address_and_len(x)?;
            }
            key.epsilon = epsilon.to_bits();
        }
        Some(key)
    }
}

/// Cache entry: the programs of the weights of one layer.
struct CacheEntry {
    /// One program for each geometry.
    programs: Vec<CachedProgram>,
    /// Returns whether one of the layer's tensors is held by this entry only. The closure holds all
    /// tensors of the layer.
    is_orphaned: Box<dyn Fn() -> bool + Send>,
}

struct CachedProgram {
    geometry: ConvGeometry,
    packing: WeightPacking,
    /// Programs of the same packing share the packed weights.
    program: Arc<PackedProgram>,
    /// Value of [`Cache::lookups`] at the last use.
    last_use: u64,
}

impl CacheEntry {
    /// An entry without programs that holds the tensors of `layer`.
    fn new<B: HostBackend>(layer: Layer<B>) -> Self {
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
            programs: Vec::new(),
            is_orphaned: Box::new(move || tensors.iter().any(B::is_unique)),
        }
    }
}

#[derive(Default)]
struct Cache {
    entries: HashMap<CacheKey, CacheEntry>,
    /// Number of lookups so far, the clock of the cache.
    lookups: u64,
    /// Value of `lookups` at the last eviction.
    last_eviction: u64,
}

/// Result of a lookup.
enum Lookup {
    /// The program of the geometry.
    Program(Arc<PackedProgram>),
    /// Packed weights of the program of another input size or activation with the same packing.
    PackedWeights(Arc<Buffer>),
    Miss,
}

impl Cache {
    fn find(&mut self, key: &CacheKey, geometry: &ConvGeometry) -> Lookup {
        self.lookups += 1;
        if self.lookups - self.last_eviction > self.entries.len() as u64 {
            self.evict();
        }
        let Some(entry) = self.entries.get_mut(key) else {
            return Lookup::Miss;
        };
        let mut programs = entry.programs.iter_mut();
        if let Some(cached) = programs.find(|cached| cached.geometry == *geometry) {
            cached.last_use = self.lookups;
            return Lookup::Program(cached.program.clone());
        }
        let packing = geometry.packing();
        let mut programs = entry.programs.iter();
        match programs.find(|cached| cached.packing == packing) {
            Some(cached) => Lookup::PackedWeights(cached.program.weights()),
            None => Lookup::Miss,
        }
    }

    /// Evicts orphaned entries and programs that were not used for long.
    fn evict(&mut self) {
        self.last_eviction = self.lookups;
        // Evicting an entry can orphan another entry that holds the same tensor.
        let mut before = self.entries.len() + 1;
        while self.entries.len() < before {
            before = self.entries.len();
            self.entries.retain(|_, entry| !(entry.is_orphaned)());
        }
        let oldest = self
            .lookups
            .saturating_sub(MAX_UNUSED_ROUNDS * self.entries.len() as u64);
        self.entries.retain(|_, entry| {
            entry.programs.retain(|cached| cached.last_use >= oldest);
            !entry.programs.is_empty()
        });
    }

    fn insert<B: HostBackend>(
        &mut self,
        key: CacheKey,
        geometry: ConvGeometry,
        layer: Layer<B>,
        program: Arc<PackedProgram>,
    ) {
        let entry = self
            .entries
            .entry(key)
            .or_insert_with(|| CacheEntry::new(layer));
        // Another thread may have inserted the program since the lookup.
        if entry
            .programs
            .iter()
            .all(|cached| cached.geometry != geometry)
        {
            entry.programs.push(CachedProgram {
                geometry,
                packing: geometry.packing(),
                program,
                last_use: self.lookups,
            });
        }
    }
}

/// Returns the program of a layer from `cache`. On a miss, packs the weights by `pack` and inserts the
/// program.
fn find_or_insert<B: HostBackend>(
    cache: &Mutex<Cache>,
    key: CacheKey,
    geometry: ConvGeometry,
    layer: Layer<B>,
    pack: impl FnOnce(&Layer<B>) -> Buffer,
) -> Arc<PackedProgram> {
    let lookup = lock(cache).find(&key, &geometry);
    let weights = match lookup {
        Lookup::Program(program) => return program,
        Lookup::PackedWeights(weights) => weights,
        Lookup::Miss => {
            lock(cache).evict();
            Arc::new(pack(&layer))
        }
    };
    let program = Arc::new(geometry.program(weights));
    lock(cache).insert(key, geometry, layer, program.clone());
    program
}

fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(|error| error.into_inner())
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// Returns the program of `layer`, whose key is `key`, and caches it.
pub(super) fn program<B: HostBackend>(
    key: CacheKey,
    geometry: ConvGeometry,
    layer: Layer<B>,
) -> Arc<PackedProgram> {
    find_or_insert(&CACHE, key, geometry, layer, |layer| {
        let (weights, biases) =
            fold_batch_norm(layer).expect("all tensors of a cache key are readable");
        geometry.pack(&weights, &biases)
    })
}

/// Removes all entries.
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

    /// Looks up the program of `layer` for images of `size` x `size` pixels. Returns whether the weights
    /// were packed.
    fn packs(cache: &Mutex<Cache>, layer: Layer<Flex>, size: usize) -> bool {
        let geometry = ConvGeometry::new(&[1, 1, size, size], &layer).expect("supported");
        let key = CacheKey::new(&layer).expect("contiguous f32");
        let mut packs = false;
        find_or_insert(cache, key, geometry, layer, |layer| {
            packs = true;
            let (weights, biases) = fold_batch_norm(layer).expect("contiguous f32");
            geometry.pack(&weights, &biases)
        });
        packs
    }

    fn entries(cache: &Mutex<Cache>) -> usize {
        lock(cache).entries.len()
    }

    #[test]
    fn live_weights_are_packed_once() {
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
    fn sizes_and_activations_share_packed_weights() {
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
        // A strided convolution packs the same weights in another layout.
        let strided = Layer {
            options: ConvOptions::new([2, 2], [1, 1], [1, 1], 1),
            ..layer(&a)
        };
        assert!(packs(&cache, strided, 9));
    }

    #[test]
    fn dropped_weights_are_evicted_on_a_miss() {
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
    fn entries_with_a_dropped_bias_are_evicted() {
        let cache = Mutex::default();
        let a = weight(1.0);
        let biases = [1.0, 2.0].map(|value| tensor(value, [16]));
        for bias in &biases {
            assert!(packs(&cache, biased(&a, bias), 8));
        }
        let [dropped, held] = biases;
        drop(dropped);
        packs(&cache, layer(&a), 8);
        assert_eq!(entries(&cache), 2);
        assert!(!packs(&cache, biased(&a, &held), 8));
        // Several entries that share one weight are evicted once nothing else holds the weight.
        drop((a, held));
        packs(&cache, layer(&weight(3.0)), 8);
        assert_eq!(entries(&cache), 1);
    }

    #[test]
    fn dropped_weights_are_evicted_on_hits() {
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
    fn unused_programs_are_evicted() {
        let cache = Mutex::default();
        let [a, b] = [1.0, 2.0].map(weight);
        packs(&cache, layer(&a), 8);
        packs(&cache, layer(&b), 8);
        // One use in `MAX_UNUSED_ROUNDS` rounds keeps a program in the cache.
        for _ in 0..3 {
            for _ in 0..MAX_UNUSED_ROUNDS {
                assert!(!packs(&cache, layer(&b), 8));
            }
            assert!(!packs(&cache, layer(&a), 8));
        }
        for _ in 0..3 * MAX_UNUSED_ROUNDS {
            assert!(!packs(&cache, layer(&b), 8));
        }
        assert_eq!(entries(&cache), 1);
        assert!(packs(&cache, layer(&a), 8));
    }

    /// The cache relies on copy-on-write tensors.
    #[test]
    fn shared_memory_is_not_written() {
        let a = weight(1.0);
        let held = a.clone();
        let mut changed = a;
        changed.storage_mut::<f32>()[0] = 5.0;
        assert_eq!(Flex::as_f32_slice(&held).expect("contiguous f32")[0], 1.0);
        assert_ne!(
            CacheKey::new(&layer(&held)),
            CacheKey::new(&layer(&changed))
        );
        assert_eq!(changed.layout().shape(), &Shape::new([16, 1, 3, 3]));
    }
}

//! The formula of the reference networks' weights and images (`reference/README.md`).

/// Computes the 64-bit FNV-1a hash of `text`.
fn fnv1a64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Computes the output of splitmix64 in state `x`.
fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Returns the first `len` values of the tensor `name`, in `[-1, 1)`.
fn values(salt: &str, name: &str, len: usize) -> impl Iterator<Item = f64> + use<> {
    let seed = fnv1a64(&format!("{salt}/{name}"));
    (0..len as u64).map(move |i| {
        let bits = splitmix64(seed.wrapping_add(i)) >> 40;
        bits as f64 / f64::from(1 << 23) - 1.0
    })
}

/// Returns the elements of the tensor `name` of shape `shape` (PyTorch's layout), row-major.
pub fn fill(salt: &str, name: &str, shape: &[usize], gain: f64) -> Vec<f32> {
    let values = values(salt, name, shape.iter().product());
    let leaf = name.rsplit('.').next().unwrap_or(name);
    match (leaf, shape) {
        ("running_var" | "coefficient", _) | ("weight", [_]) => {
            values.map(|v| (1.0 + 0.5 * v) as f32).collect()
        }
        ("weight", [_, fan_in @ ..]) => {
            let scale = (3.0 / fan_in.iter().product::<usize>() as f64).sqrt();
            values.map(|v| (v * scale * gain) as f32).collect()
        }
        _ => values.map(|v| (0.1 * v) as f32).collect(),
    }
}

/// Returns the elements of images of shape `shape`, row-major.
pub fn images(salt: &str, shape: [usize; 4]) -> Vec<f32> {
    values(salt, "input", shape.iter().product())
        .map(|v| v as f32)
        .collect()
}

/// Returns the probe vector of the parameter `name` with `len` elements. Its dot product with the
/// parameter's gradient depends on the sign and the order of the gradient's elements.
pub fn probe(salt: &str, name: &str, len: usize) -> impl Iterator<Item = f64> + use<> {
    values(salt, &format!("grad/{name}"), len)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expects the published test vectors of FNV-1a, and splitmix64's first output from state 0.
    #[test]
    fn hashes_match_their_published_values() {
        assert_eq!(fnv1a64(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a64("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a64("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(splitmix64(0), 0xe220_a839_7b1d_cdaf);
    }

    // The expected values were computed by NumPy 2 from the formula of `reference/README.md`.
    #[test]
    fn tensors_match_numpy() {
        let images = images("public", [1, 1, 2, 2]);
        assert_eq!(images, [-0.0055149794, 0.5063175, 0.36494863, -0.29542267]);

        let weight = fill("public", "conv1.weight", &[96, 3, 11, 11], 1.4);
        assert_eq!(
            weight[..4],
            [-0.10194299, 0.119309016, 0.058415752, -0.08622236]
        );
        let scale = fill("public", "bn1.weight", &[3], 1.4);
        assert_eq!(scale, [1.2739457, 1.1071794, 1.3192983]);
        let variance = fill("public", "bn1.running_var", &[3], 1.4);
        assert_eq!(variance, [0.6846859, 0.8227856, 1.3337822]);
        let mean = fill("public", "bn1.running_mean", &[3], 1.4);
        assert_eq!(mean, [0.03301376, -0.084257305, 0.08283909]);
        let coefficient = fill("public", "s2.coefficient", &[3], 1.4);
        assert_eq!(coefficient, [0.99030304, 0.79738814, 1.2907267]);
        let bias = fill("public", "fc.bias", &[3], 1.4);
        assert_eq!(bias, [0.0800517, -0.05217917, 0.091360725]);
        let probe: Vec<f64> = probe("public", "fc.bias", 3).collect();
        assert_eq!(
            probe,
            [-0.3496652841567993, -0.797364354133606, -0.8941032886505127]
        );
    }
}

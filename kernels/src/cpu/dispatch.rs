//! Portable code, compiled for the vector instructions of the processor as well.

/// Portable code whose loops the compiler vectorizes: see [`dispatch`].
pub trait Vectorize {
    /// The result.
    type Output;

    /// Computes the result. The function, and the functions that it calls in loops, must be
    /// `#[inline(always)]`: only inlined code is compiled for the instruction set.
    fn run(self) -> Self::Output;
}

/// Runs portable code that is compiled for AVX2 if the processor has it, else for the target's
/// instruction set. Results do not depend on the instruction set, unless the code itself tests for it:
/// Rust does not contract or reorder operations of floats.
#[inline(always)]
pub fn dispatch<V: Vectorize>(code: V) -> V::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<V: Vectorize>(code: V) -> V::Output {
            code.run()
        }

        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { avx2(code) };
        }
    }
    code.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sum<'a>(&'a [u32]);

    impl Vectorize for Sum<'_> {
        type Output = u32;

        #[inline(always)]
        fn run(self) -> u32 {
            self.0.iter().sum()
        }
    }

    #[test]
    fn the_result_is_that_of_the_code() {
        let numbers: Vec<u32> = (0..1000).collect();
        assert_eq!(dispatch(Sum(&numbers)), 499_500);
    }
}

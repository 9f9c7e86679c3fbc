//! Costs of pools, normalizations, fully connected and other layers.

use super::total::{Cost, CostError, add, product};

/// Cost of max or mean pooling with an output of `channels` maps of this height and width. A pool
/// has no parameters and no multiply-adds.
///
/// ```
/// // AlexNet's first pool: 3x3 windows, 55x55x96 to 27x27x96.
/// let pool = receptive_kernels::cost::pool(96, [3, 3], [27, 27])?;
/// assert_eq!((pool.parameters, pool.macs), (0, 0));
/// assert_eq!(pool.activations, 69_984);
/// assert_eq!(pool.connections, 9 * 69_984);
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn pool(channels: usize, window: [usize; 2], output: [usize; 2]) -> Result<Cost, CostError> {
    let ([height, width], [rows, columns]) = (output, window);
    Ok(Cost {
        activations: product("activation values", [channels, height, width])?,
        connections: product("connections", [channels, height, width, rows, columns])?,
        ..Cost::default()
    })
}

/// Cost of LeNet-5's trainable subsampling: mean pooling with a coefficient and a bias for each map.
///
/// ```
/// let s2 = receptive_kernels::cost::subsampling(6, [2, 2], [14, 14])?;
/// assert_eq!((s2.parameters, s2.connections), (12, 5_880));
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn subsampling(
    channels: usize,
    window: [usize; 2],
    output: [usize; 2],
) -> Result<Cost, CostError> {
    let pool = pool(channels, window, output)?;
    Ok(Cost {
        parameters: product("parameters", [2, channels])?,
        connections: add("connections", pool.connections, pool.activations)?,
        ..pool
    })
}

/// Cost of batch norm over `channels` maps. Each map has a trainable scale and shift, and a running
/// mean and variance.
///
/// ```
/// let norm = receptive_kernels::cost::batch_norm(64, [112, 112])?;
/// assert_eq!((norm.parameters, norm.buffers, norm.macs), (128, 128, 0));
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn batch_norm(channels: usize, output: [usize; 2]) -> Result<Cost, CostError> {
    Ok(Cost {
        parameters: product("parameters", [2, channels])?,
        buffers: product("buffers", [2, channels])?,
        ..elementwise_maps(channels, output)?
    })
}

/// Cost of local response normalization: activations only.
///
/// ```
/// let norm = receptive_kernels::cost::local_response_norm(96, [55, 55])?;
/// assert_eq!((norm.parameters, norm.macs, norm.activations), (0, 0, 290_400));
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn local_response_norm(channels: usize, output: [usize; 2]) -> Result<Cost, CostError> {
    elementwise_maps(channels, output)
}

/// Cost of a fully connected layer: `inputs * outputs` weights, as many multiply-adds, and with
/// `bias` a bias for every output.
///
/// ```
/// // VGG16's fc6, three quarters of the network's parameters.
/// let fc6 = receptive_kernels::cost::linear(7 * 7 * 512, 4096, true)?;
/// assert_eq!(fc6.macs, 102_760_448);
/// assert_eq!(fc6.parameters, 102_764_544);
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn linear(inputs: usize, outputs: usize, bias: bool) -> Result<Cost, CostError> {
    let weights = product("weights", [inputs, outputs])?;
    let biases = if bias { outputs as u64 } else { 0 };
    let parameters = add("parameters", weights, biases)?;
    Ok(Cost {
        parameters,
        buffers: 0,
        macs: weights,
        activations: outputs as u64,
        connections: parameters,
    })
}

/// Cost of LeNet-5's output layer: the squared distance of `inputs` values from each of `classes`
/// fixed centers. Adding a squared difference counts as a multiply-add.
///
/// ```
/// let output = receptive_kernels::cost::radial_basis(84, 10)?;
/// assert_eq!((output.parameters, output.buffers, output.connections), (0, 840, 840));
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn radial_basis(inputs: usize, classes: usize) -> Result<Cost, CostError> {
    let connections = product("connections", [inputs, classes])?;
    Ok(Cost {
        parameters: 0,
        buffers: connections,
        macs: connections,
        activations: classes as u64,
        connections,
    })
}

/// Cost of an elementwise operation with `values` output values: an activation function, dropout,
/// or the addition of a residual connection.
///
/// ```
/// let relu = receptive_kernels::cost::elementwise(64 * 112 * 112);
/// assert_eq!((relu.activations, relu.macs), (802_816, 0));
/// ```
pub fn elementwise(values: u64) -> Cost {
    Cost {
        activations: values,
        ..Cost::default()
    }
}

/// Cost of an elementwise operation on `channels` maps of this height and width.
fn elementwise_maps(channels: usize, output: [usize; 2]) -> Result<Cost, CostError> {
    let [height, width] = output;
    product("activation values", [channels, height, width]).map(elementwise)
}

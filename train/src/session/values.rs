//! The values that the parts of a step sum up, in a list: the gradients of all parameters, then the
//! running statistics of the norms.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::TrainError;

/// Beginning of the names of running statistics: `running_mean` and `running_var`.
const RUNNING: &str = "running_";

/// Returns the number of values of the gradients.
pub fn gradient_values<M: Module>(network: &M) -> usize {
    let mut count = Count(0);
    network.visit(&mut count);
    count.0
}

/// Returns the values of `gradients`, in the order of the parameters of `network`. A parameter without
/// a gradient has zeros.
pub fn of_gradients<M: Module>(
    network: &M,
    mut gradients: GradientsParams,
) -> Result<Vec<f32>, TrainError> {
    let mut read = ReadGradients {
        gradients: &mut gradients,
        values: Vec::with_capacity(gradient_values(network)),
        error: None,
    };
    network.visit(&mut read);
    match read.error {
        None => Ok(read.values),
        Some(error) => Err(error),
    }
}

/// Returns `values` as gradients of the parameters of `network`, and the values after them.
pub fn to_gradients<'a, M: Module>(
    network: &M,
    values: &'a [f32],
    device: &Device,
) -> (GradientsParams, &'a [f32]) {
    let mut write = WriteGradients {
        gradients: GradientsParams::new(),
        values,
        device: device.clone().inner(),
    };
    network.visit(&mut write);
    (write.gradients, write.values)
}

/// Appends the running statistics of the trained norms of `network` to `values`. Those of frozen norms do not
/// change.
pub fn append_statistics<M: Module>(network: &M, values: &mut Vec<f32>) -> Result<(), TrainError> {
    // `valid` completes the statistics of the last forward, which the network shares.
    let _ = network.valid();
    let mut read = ReadStatistics {
        field: Field::default(),
        values,
        error: None,
    };
    network.visit(&mut read);
    match read.error {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// Replaces the running statistics of the trained norms of `network` by `values`, the sums over `parts` parts, divided by
/// their number.
pub fn set_statistics<M: Module>(network: M, values: &[f32], parts: usize) -> M {
    network.map(&mut WriteStatistics {
        field: Field::default(),
        values,
        parts,
    })
}

/// Whether a parameter has gradients.
fn is_trained<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    param.is_require_grad()
}

fn read<const D: usize>(tensor: Tensor<D>, values: &mut Vec<f32>) -> Result<(), TrainError> {
    values.extend(
        tensor
            .try_into_vec_as::<f32>()
            .map_err(TrainError::device)?,
    );
    Ok(())
}

/// Splits the values of a tensor of shape `shape` off the beginning of `values`.
fn split<const D: usize>(shape: [usize; D], values: &mut &[f32]) -> TensorData {
    let (own, rest) = values.split_at(shape.iter().product());
    *values = rest;
    TensorData::new(own.to_vec(), shape)
}

struct Count(usize);

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if is_trained(param) {
            self.0 += param.shape().num_elements();
        }
    }
}

struct ReadGradients<'a> {
    gradients: &'a mut GradientsParams,
    values: Vec<f32>,
    error: Option<TrainError>,
}

impl ModuleVisitor for ReadGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !is_trained(param) || self.error.is_some() {
            return;
        }
        match self.gradients.remove::<D>(param.id) {
            Some(gradient) => self.error = read(gradient, &mut self.values).err(),
            None => {
                let count = self.values.len() + param.shape().num_elements();
                self.values.resize(count, 0.0);
            }
        }
    }
}

struct WriteGradients<'a> {
    gradients: GradientsParams,
    values: &'a [f32],
    device: Device,
}

impl ModuleVisitor for WriteGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if is_trained(param) {
            let data = split::<D>(param.dims(), &mut self.values);
            let gradient = Tensor::<D>::from_data(data, &self.device);
            self.gradients.register(param.id, gradient);
        }
    }
}

/// The field of a module that is visited. A norm's scale, `gamma`, comes before its statistics.
#[derive(Default)]
struct Field {
    name: String,
    /// Whether the last scale is trained.
    has_trained_scale: bool,
}

impl Field {
    fn enter(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// Whether `param` is a running statistic of a trained norm.
    fn is_statistic<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> bool {
        if self.name == "gamma" {
            self.has_trained_scale = is_trained(param);
        }
        self.has_trained_scale && self.name.starts_with(RUNNING)
    }
}

struct ReadStatistics<'a> {
    field: Field,
    values: &'a mut Vec<f32>,
    error: Option<TrainError>,
}

impl ModuleVisitor for ReadStatistics<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.field.enter(name);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.field.is_statistic(param) && self.error.is_none() {
            self.error = read(param.val(), self.values).err();
        }
    }
}

struct WriteStatistics<'a> {
    field: Field,
    values: &'a [f32],
    parts: usize,
}

impl ModuleMapper for WriteStatistics<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.field.enter(name);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.field.is_statistic(&param) {
            return param;
        }
        let data = split::<D>(param.dims(), &mut self.values);
        let parts = self.parts as f64;
        param.map(|old| Tensor::from_data(data, &old.device()) / parts)
    }
}

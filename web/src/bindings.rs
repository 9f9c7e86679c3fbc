//! The engine for JavaScript; `page/src/engine` has the types.

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use std::sync::OnceLock;

use crate::arithmetic::{self, Sliding};
use crate::classifier::Classifier;
use crate::explain::Unit;
use crate::explorer::{Explorer, Pool};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// What the first panic said, and where it was.
static PANIC: OnceLock<String> = OnceLock::new();

/// A panic is told to the console, and kept: after it the module only says what it was.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        // Before the console's, which allocates more.
        let _ = PANIC.set(panic.to_string());
        console_error_panic_hook::hook(panic);
    }));
}

/// What the engine panicked with, once it has.
#[wasm_bindgen]
pub fn panicked() -> Option<String> {
    PANIC.get().cloned()
}

/// What JavaScript gets of a structure: objects and arrays of numbers and words.
fn value(of: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(of.serialize(&Serializer::json_compatible())?)
}

/// LeNet-5, or one layer by itself: every value of every layer.
#[wasm_bindgen(js_name = Explorer)]
pub struct JsExplorer(Explorer);

#[wasm_bindgen(js_class = Explorer)]
impl JsExplorer {
    /// With the bytes of `lenet5.safetensors`.
    pub fn lenet5(weights: &[u8]) -> Result<Self, JsError> {
        Ok(Self(Explorer::lenet5(weights)?))
    }

    /// A convolution of one channel to one, without bias, over a square picture.
    pub fn convolution(
        input: f64,
        kernel: f64,
        stride: f64,
        padding: f64,
        dilation: f64,
        weights: &[f32],
    ) -> Result<Self, JsError> {
        let sliding = Sliding::new(input, kernel, stride, padding, dilation)?;
        Ok(Self(Explorer::convolution(sliding, weights)?))
    }

    /// A pool over a square picture of one channel; its dilation is 1.
    #[wasm_bindgen(js_name = maxPool)]
    pub fn max_pool(input: f64, kernel: f64, stride: f64, padding: f64) -> Result<Self, JsError> {
        let sliding = Sliding::new(input, kernel, stride, padding, 1.0)?;
        Ok(Self(Explorer::pool(Pool::Max, sliding)?))
    }

    /// As `maxPool`, the mean of each window.
    #[wasm_bindgen(js_name = averagePool)]
    pub fn average_pool(
        input: f64,
        kernel: f64,
        stride: f64,
        padding: f64,
    ) -> Result<Self, JsError> {
        let sliding = Sliding::new(input, kernel, stride, padding, 1.0)?;
        Ok(Self(Explorer::pool(Pool::Average, sliding)?))
    }

    /// The layers in order; 0 is the input.
    #[wasm_bindgen(unchecked_return_type = "LayerInfo[]")]
    pub fn layers(&self) -> Result<JsValue, JsError> {
        value(&self.0.layers().collect::<Vec<_>>())
    }

    /// Computes all values for a drawing, 28x28 for LeNet-5, 0 (paper) to 1 (ink), row by row; returns the
    /// probabilities of its digits.
    pub fn run(&mut self, image: &[f32]) -> Result<Vec<f32>, JsError> {
        Ok(self.0.run(image)?)
    }

    /// The values of a layer for the last drawing: channels, rows, columns.
    pub fn values(&self, layer: f64) -> Result<Vec<f32>, JsError> {
        let layer = arithmetic::whole("layer", layer, 0)?;
        Ok(self.0.values(layer)?.to_vec())
    }

    /// How one of them came about.
    #[wasm_bindgen(unchecked_return_type = "Explanation")]
    pub fn explain(
        &self,
        layer: f64,
        channel: f64,
        row: f64,
        column: f64,
    ) -> Result<JsValue, JsError> {
        let unit = Unit {
            layer: arithmetic::whole("layer", layer, 0)?,
            channel: arithmetic::whole("channel", channel, 0)?,
            row: arithmetic::whole("row", row, 0)?,
            column: arithmetic::whole("column", column, 0)?,
        };
        value(&self.0.explain(unit)?)
    }
}

/// MobileNetV2 on photos.
#[wasm_bindgen(js_name = Classifier)]
pub struct JsClassifier(Classifier);

#[wasm_bindgen(js_class = Classifier)]
impl JsClassifier {
    /// With the bytes of `mobilenet_v2-f16.safetensors`.
    #[wasm_bindgen(js_name = mobilenetV2)]
    pub fn mobilenet_v2(weights: &[u8]) -> Result<Self, JsError> {
        Ok(Self(Classifier::mobilenet_v2(weights)?))
    }

    /// What a photo shows: the bytes of a PNG, JPEG, WebP, GIF or BMP file.
    #[wasm_bindgen(unchecked_return_type = "Classification")]
    pub fn classify(&mut self, photo: &[u8]) -> Result<JsValue, JsError> {
        value(&self.0.classify(photo)?)
    }

    /// The stages of the network.
    #[wasm_bindgen(unchecked_return_type = "StageInfo[]")]
    pub fn stages(&self) -> Result<JsValue, JsError> {
        value(&self.0.stages())
    }

    /// The map of a stage for the last photo: channels, rows, columns.
    pub fn stage(&self, index: f64) -> Result<Vec<f32>, JsError> {
        let index = arithmetic::whole("stage", index, 0)?;
        Ok(self.0.stage(index)?.to_vec())
    }
}

/// A standard convolution beside a depthwise separable one.
#[wasm_bindgen(js_name = convolutionCosts, unchecked_return_type = "ConvolutionCosts")]
pub fn convolution_costs(
    #[wasm_bindgen(js_name = channelsIn)] channels_in: f64,
    #[wasm_bindgen(js_name = channelsOut)] channels_out: f64,
    kernel: f64,
    height: f64,
    width: f64,
) -> Result<JsValue, JsError> {
    let costs = arithmetic::convolution_costs(channels_in, channels_out, kernel, height, width)?;
    value(&costs)
}

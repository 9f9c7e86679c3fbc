//! JavaScript interface of the engine. `page/src/engine` declares its types for TypeScript.

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use std::sync::OnceLock;

use crate::arithmetic::{self, SlidingWindow};
use crate::chain::PoolKind;
use crate::classifier::Classifier;
use crate::explain::Unit;
use crate::explorer::Explorer;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// Message and location of the first panic.
static PANIC: OnceLock<String> = OnceLock::new();

/// Installs a panic hook that logs to the console and stores the message for [`panic_message`].
///
/// After a panic the module's state is undefined, and only [`panic_message`] may be called.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        // The message is stored first because the console hook allocates more memory.
        let _ = PANIC.set(panic.to_string());
        console_error_panic_hook::hook(panic);
    }));
}

/// Returns the message and location of the first panic, if the engine has panicked.
#[wasm_bindgen(js_name = panicMessage)]
pub fn panic_message() -> Option<String> {
    PANIC.get().cloned()
}

/// Converts a structure to JavaScript objects, arrays, numbers and strings.
fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

/// LeNet-5 or a single layer, with access to every value of every layer.
#[wasm_bindgen(js_name = Explorer)]
pub struct JsExplorer(Explorer);

#[wasm_bindgen(js_class = Explorer)]
impl JsExplorer {
    /// LeNet-5 with `weights`, the bytes of `lenet5.safetensors`.
    pub fn lenet5(weights: &[u8]) -> Result<Self, JsError> {
        Ok(Self(Explorer::lenet5(weights)?))
    }

    /// A convolution from one channel to one channel, without bias, over a square picture.
    pub fn convolution(
        input: f64,
        kernel: f64,
        stride: f64,
        padding: f64,
        dilation: f64,
        weights: &[f32],
    ) -> Result<Self, JsError> {
        let sliding = SlidingWindow::new(input, kernel, stride, padding, dilation)?;
        Ok(Self(Explorer::convolution(sliding, weights)?))
    }

    /// A max pool over a square picture of one channel, with a dilation of 1.
    #[wasm_bindgen(js_name = maxPool)]
    pub fn max_pool(input: f64, kernel: f64, stride: f64, padding: f64) -> Result<Self, JsError> {
        let sliding = SlidingWindow::new(input, kernel, stride, padding, 1.0)?;
        Ok(Self(Explorer::pool(PoolKind::Max, sliding)?))
    }

    /// An average pool over a square picture of one channel, with a dilation of 1.
    #[wasm_bindgen(js_name = averagePool)]
    pub fn average_pool(
        input: f64,
        kernel: f64,
        stride: f64,
        padding: f64,
    ) -> Result<Self, JsError> {
        let sliding = SlidingWindow::new(input, kernel, stride, padding, 1.0)?;
        Ok(Self(Explorer::pool(PoolKind::Average, sliding)?))
    }

    /// The layers in order; layer 0 is the input.
    #[wasm_bindgen(unchecked_return_type = "LayerInfo[]")]
    pub fn layers(&self) -> Result<JsValue, JsError> {
        to_js(&self.0.layers().collect::<Vec<_>>())
    }

    /// Runs the network on a drawing and returns the probabilities of the classes.
    ///
    /// The drawing is row by row, with values from 0 (paper) to 1 (ink); 28x28 for LeNet-5.
    pub fn run(&mut self, image: &[f32]) -> Result<Vec<f32>, JsError> {
        Ok(self.0.run(image)?)
    }

    /// The values of a layer for the last drawing, `[channels, height, width]`.
    pub fn values(&self, layer: f64) -> Result<Vec<f32>, JsError> {
        let layer = arithmetic::integer("layer", layer, 0)?;
        Ok(self.0.values(layer)?.to_vec())
    }

    /// Inputs, weights and bias from which one value of a layer is computed.
    #[wasm_bindgen(unchecked_return_type = "Explanation")]
    pub fn explain(
        &self,
        layer: f64,
        channel: f64,
        row: f64,
        column: f64,
    ) -> Result<JsValue, JsError> {
        let unit = Unit {
            layer: arithmetic::integer("layer", layer, 0)?,
            channel: arithmetic::integer("channel", channel, 0)?,
            row: arithmetic::integer("row", row, 0)?,
            column: arithmetic::integer("column", column, 0)?,
        };
        to_js(&self.0.explain(unit)?)
    }
}

/// MobileNetV2, a classifier of photos.
#[wasm_bindgen(js_name = Classifier)]
pub struct JsClassifier(Classifier);

#[wasm_bindgen(js_class = Classifier)]
impl JsClassifier {
    /// MobileNetV2 with `weights`, the bytes of `mobilenet_v2-f16.safetensors`.
    #[wasm_bindgen(js_name = mobilenetV2)]
    pub fn mobilenet_v2(weights: &[u8]) -> Result<Self, JsError> {
        Ok(Self(Classifier::mobilenet_v2(weights)?))
    }

    /// Classifies a photo, the bytes of a PNG, JPEG, WebP, GIF or BMP file.
    #[wasm_bindgen(unchecked_return_type = "Classification")]
    pub fn classify(&mut self, photo: &[u8]) -> Result<JsValue, JsError> {
        to_js(&self.0.classify(photo)?)
    }

    /// The stages of the network in order.
    #[wasm_bindgen(unchecked_return_type = "StageInfo[]")]
    pub fn stages(&self) -> Result<JsValue, JsError> {
        to_js(&self.0.stages())
    }

    /// The feature maps of a stage for the last photo, `[channels, height, width]`.
    pub fn stage(&self, index: f64) -> Result<Vec<f32>, JsError> {
        let index = arithmetic::integer("stage", index, 0)?;
        Ok(self.0.stage(index)?.to_vec())
    }
}

/// Compares the costs of a standard convolution and of a depthwise separable one.
#[wasm_bindgen(js_name = convolutionCosts, unchecked_return_type = "ConvolutionCosts")]
pub fn convolution_costs(
    #[wasm_bindgen(js_name = channelsIn)] channels_in: f64,
    #[wasm_bindgen(js_name = channelsOut)] channels_out: f64,
    kernel: f64,
    height: f64,
    width: f64,
) -> Result<JsValue, JsError> {
    let costs = arithmetic::convolution_costs(channels_in, channels_out, kernel, height, width)?;
    to_js(&costs)
}

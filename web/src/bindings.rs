//! The engine for JavaScript; `page/src/engine` has the types.

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use crate::arithmetic;
use crate::classifier::Classifier;
use crate::explain::Unit;
use crate::explorer::Explorer;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A panic is told with its message and place.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// What JavaScript gets of a structure: objects and arrays of numbers and words.
fn value(of: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(of.serialize(&Serializer::json_compatible())?)
}

/// LeNet-5, every value of every layer.
#[wasm_bindgen(js_name = Explorer)]
pub struct JsExplorer(Explorer);

#[wasm_bindgen(js_class = Explorer)]
impl JsExplorer {
    /// With the bytes of `lenet5.safetensors`.
    pub fn lenet5(weights: &[u8]) -> Result<Self, JsError> {
        Ok(Self(Explorer::lenet5(weights)?))
    }

    /// The layers in order; 0 is the input.
    #[wasm_bindgen(unchecked_return_type = "LayerInfo[]")]
    pub fn layers(&self) -> Result<JsValue, JsError> {
        value(&self.0.layers().collect::<Vec<_>>())
    }

    /// Probabilities of the digits for 28x28 values, 0 (paper) to 1 (ink), row by row.
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

/// How many windows an input of this length has, along one axis.
#[wasm_bindgen(js_name = outputSize)]
pub fn output_size(
    input: f64,
    kernel: f64,
    stride: f64,
    padding: f64,
    dilation: f64,
) -> Result<u32, JsError> {
    let size = arithmetic::output_size(input, kernel, stride, padding, dilation)?;
    Ok(u32::try_from(size)?)
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

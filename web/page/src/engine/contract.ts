// The interface of the engine, the crate receptive-web compiled to WebAssembly.

import type {
  Classification,
  ConvolutionCosts,
  Explanation,
  LayerInfo,
  Rect,
  StageInfo,
  Term,
} from "../../../src/types";

export type { Classification, ConvolutionCosts, Explanation, LayerInfo, Rect, StageInfo, Term };

export type Kind = LayerInfo["kind"];

export interface Explorer {
  layers(): LayerInfo[];
  /** 28x28 values, 0 paper to 1 ink, row by row; returns ten probabilities. */
  run(image: Float32Array): Float32Array;
  values(layer: number): Float32Array;
  explain(layer: number, channel: number, row: number, column: number): Explanation;
}

export interface Classifier {
  classify(photo: Uint8Array): Classification;
  stages(): StageInfo[];
  stage(index: number): Float32Array;
}

/** The module that wasm-bindgen writes for the crate. */
export interface Engine {
  default(): Promise<unknown>;
  Explorer: { lenet5(weights: Uint8Array): Explorer };
  Classifier: { mobilenetV2(weights: Uint8Array): Classifier };
  outputSize(
    input: number,
    kernel: number,
    stride: number,
    padding: number,
    dilation: number,
  ): number;
  convolutionCosts(
    channelsIn: number,
    channelsOut: number,
    kernel: number,
    height: number,
    width: number,
  ): ConvolutionCosts;
}

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
  /** Values from 0 paper to 1 ink, row by row, 28x28 for LeNet-5; returns its ten probabilities. */
  run(image: Float32Array): Float32Array;
  values(layer: number): Float32Array;
  explain(layer: number, channel: number, row: number, column: number): Explanation;
  /** Gives its memory back. */
  free(): void;
}

export interface Classifier {
  classify(photo: Uint8Array): Classification;
  stages(): StageInfo[];
  stage(index: number): Float32Array;
}

/** The module that wasm-bindgen writes for the crate. */
export interface Engine {
  default(): Promise<unknown>;
  Explorer: {
    lenet5(weights: Uint8Array): Explorer;
    convolution(
      input: number,
      kernel: number,
      stride: number,
      padding: number,
      dilation: number,
      weights: Float32Array,
    ): Explorer;
    maxPool(input: number, kernel: number, stride: number, padding: number): Explorer;
    averagePool(input: number, kernel: number, stride: number, padding: number): Explorer;
  };
  Classifier: { mobilenetV2(weights: Uint8Array): Classifier };
  /** What it panicked with, once it has. */
  panicked(): string | undefined;
  convolutionCosts(
    channelsIn: number,
    channelsOut: number,
    kernel: number,
    height: number,
    width: number,
  ): ConvolutionCosts;
}

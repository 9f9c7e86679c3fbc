// Interface of the engine, the crate receptive-web compiled to WebAssembly.

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

export interface Explorer {
  layers(): LayerInfo[];
  /**
   * Runs the network on a drawing, row by row, from 0 (paper) to 1 (ink); 28x28 for LeNet-5. Returns the
   * probabilities of the classes.
   */
  run(image: Float32Array): Float32Array;
  /** Values of a layer for the last drawing: channels, rows, columns. */
  values(layer: number): Float32Array;
  explain(layer: number, channel: number, row: number, column: number): Explanation;
  /** Frees the memory of the network. */
  free(): void;
}

export interface Classifier {
  classify(photo: Uint8Array): Classification;
  stages(): StageInfo[];
  /** Feature maps of a stage for the last photo: channels, rows, columns. */
  stage(index: number): Float32Array;
}

/** The module that wasm-bindgen generates for the crate. */
export interface Engine {
  /** Loads and starts the WebAssembly module. */
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
  /** Message and location of the first panic, if the engine has panicked. */
  panicMessage(): string | undefined;
  convolutionCosts(
    channelsIn: number,
    channelsOut: number,
    kernel: number,
    height: number,
    width: number,
  ): ConvolutionCosts;
}

// Messages between the page and its worker.

import type {
  Classification,
  ConvolutionCosts,
  Explanation,
  LayerInfo,
  StageInfo,
} from "./contract";

/** Result of a run of the digit network. */
export interface Activity {
  probabilities: Float32Array;
  /** Values of each layer, in the order of the layers. */
  values: Float32Array[];
  /** Inference time in milliseconds. */
  milliseconds: number;
}

export interface WindowSettings {
  input: number;
  kernel: number;
  stride: number;
  padding: number;
  /** Dilation of a convolution; pools have a dilation of 1. */
  dilation: number;
}

/** Operation on the values in a window. */
export type Operation = "convolution" | "maxPool" | "averagePool";

/** A single layer and the square picture that is its input. */
export interface SingleLayer {
  operation: Operation;
  settings: WindowSettings;
  picture: Float32Array;
  /** Kernel of a convolution, row by row. */
  weights: Float32Array;
}

export interface SeparableSettings {
  channelsIn: number;
  channelsOut: number;
  kernel: number;
  size: number;
}

/** The worker's methods with their arguments and results. */
export interface Methods {
  openExplorer: { args: { weights: string }; result: LayerInfo[] };
  run: { args: { image: Float32Array }; result: Activity };
  explain: {
    args: { layer: number; channel: number; row: number; column: number };
    result: Explanation;
  };
  openClassifier: { args: { weights: string }; result: StageInfo[] };
  classify: { args: { photo: Uint8Array }; result: Classification };
  stage: { args: { index: number }; result: Float32Array };
  runSingleLayer: { args: SingleLayer; result: { layer: LayerInfo; values: Float32Array } };
  explainSingleLayer: {
    args: { single: SingleLayer; row: number; column: number };
    result: Explanation;
  };
  convolutionCosts: { args: SeparableSettings; result: ConvolutionCosts };
}

export type Method = keyof Methods;

export interface Request<M extends Method = Method> {
  id: number;
  method: M;
  args: Methods[M]["args"];
}

export type Reply =
  | { id: number; result: unknown }
  /** `fatal`: the engine panicked or trapped, so that its memory may be corrupt. */
  | { id: number; error: string; fatal: boolean }
  /** Bytes downloaded so far; `total` is null if the server does not send the length. */
  | { id: number; loaded: number; total: number | null };

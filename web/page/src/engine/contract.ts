// The interface of the engine, the crate receptive-web compiled to WebAssembly.

export type Kind = "input" | "convolution" | "pool" | "linear" | "activation" | "flatten" | "other";

/** One layer of the explorer's network, in the order in which they run. */
export interface LayerInfo {
  /** Place in the list; 0 is the input. */
  index: number;
  /** Name in the recorded graph: `c1`, `avgpool1`. */
  name: string;
  kind: Kind;
  /** What it does: `conv 5x5`. */
  label: string;
  /** Channels, height, width; a vector is `[n, 1, 1]`. */
  shape: [number, number, number];
  /** Index of the layer that it reads, -1 for the input. */
  source: number;
  kernel?: [number, number];
  stride?: [number, number];
  padding?: [number, number];
  pool?: "max" | "average";
  activation?: "relu" | "tanh" | "sigmoid" | "relu6";
}

export interface Rect {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** What one source channel gives to a unit: a patch, the kernel over it, and the sum of products. */
export interface Term {
  channel: number;
  rows: number;
  columns: number;
  patch: number[];
  kernel: number[] | null;
  sum: number;
}

/** The arithmetic behind one value of one map. */
export interface Explanation {
  value: number;
  kind: Kind;
  /** Pixels of the 28x28 drawing that the value depends on. */
  receptiveField: Rect;
  /** The window in the source layer's maps; it may lie over the border by the padding. */
  patch: Rect | null;
  terms: Term[];
  bias: number | null;
  /** Of the terms and the bias; the maximum of a max pool; the argument of an activation. */
  sum: number;
  activation: string | null;
}

export interface Label {
  index: number;
  label: string;
  probability: number;
}

export interface Classification {
  /** The five most probable labels, best first. */
  top: Label[];
  /** Time of the network alone. */
  milliseconds: number;
}

export interface Stage {
  name: string;
  shape: [number, number, number];
}

export interface Costs {
  parameters: number;
  multiplyAdds: number;
}

export interface ConvolutionCosts {
  standard: Costs;
  separable: Costs;
  /** Multiply-adds of the separable one by those of the standard one. */
  ratio: number;
}

export interface Explorer {
  layers(): LayerInfo[];
  /** 28x28 values, 0 paper to 1 ink, row by row; returns ten probabilities. */
  run(image: Float32Array): Float32Array;
  values(layer: number): Float32Array;
  explain(layer: number, channel: number, row: number, column: number): Explanation;
}

export interface Classifier {
  classify(photo: Uint8Array): Classification;
  stages(): Stage[];
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

// What the page and its worker say to one another.

import type {
  Classification,
  ConvolutionCosts,
  Explanation,
  LayerInfo,
  StageInfo,
} from "./contract";

/** Everything that a run of the digit network shows. */
export interface Activity {
  probabilities: Float32Array;
  /** Values of each layer, in the order of `layers`. */
  values: Float32Array[];
  /** Time of the network alone, in milliseconds. */
  milliseconds: number;
}

export interface WindowSettings {
  input: number;
  kernel: number;
  stride: number;
  padding: number;
  /** Of a convolution. */
  dilation: number;
}

/** What a window does with the values under it. */
export type Operation = "convolution" | "maxPool" | "averagePool";

/** One layer by itself, on a square picture. */
export interface HandLayer {
  operation: Operation;
  settings: WindowSettings;
  picture: Float32Array;
  /** Of a convolution, row by row. */
  weights: Float32Array;
}

export interface SeparableSettings {
  channelsIn: number;
  channelsOut: number;
  kernel: number;
  size: number;
}

/** The worker's methods: what each takes and what it answers. */
export interface Methods {
  openExplorer: { takes: { weights: string }; answers: LayerInfo[] };
  run: { takes: { image: Float32Array }; answers: Activity };
  explain: {
    takes: { layer: number; channel: number; row: number; column: number };
    answers: Explanation;
  };
  openClassifier: { takes: { weights: string }; answers: StageInfo[] };
  classify: { takes: { photo: Uint8Array }; answers: Classification };
  stage: { takes: { index: number }; answers: Float32Array };
  slide: { takes: HandLayer; answers: { layer: LayerInfo; values: Float32Array } };
  explainStop: { takes: { hand: HandLayer; row: number; column: number }; answers: Explanation };
  convolutionCosts: { takes: SeparableSettings; answers: ConvolutionCosts };
}

export type Method = keyof Methods;

export interface Request<M extends Method = Method> {
  id: number;
  method: M;
  takes: Methods[M]["takes"];
}

export type Reply =
  | { id: number; answer: unknown }
  /** `fatal`: the engine's memory can no longer be trusted. */
  | { id: number; error: string; fatal: boolean }
  /** Bytes of a download so far; `total` is null where the server does not say. */
  | { id: number; loaded: number; total: number | null };

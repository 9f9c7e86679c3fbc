/** A layer of the explorer's network. */
export interface LayerInfo {
  /** Place in the list; 0 is the input. */
  index: number;
  name: string;
  kind: "input" | "convolution" | "pool" | "linear" | "activation";
  /** What the summary calls it: "conv 5x5", "avg pool 2x2/2", "fully connected". */
  label: string;
  /** Channels, height, width; a vector is [n, 1, 1]. */
  shape: [number, number, number];
  /** Index of the layer that it reads; -1 of the input. */
  source: number;
  /** Of convolutions and pools: height and width. */
  kernel?: [number, number];
  stride?: [number, number];
  padding?: [number, number];
  pool?: "max" | "average";
  activation?: "relu" | "tanh" | "sigmoid" | "relu6";
}

/** A rectangle of a map; top and left may be negative, in the padding. */
export interface Rect {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** What one channel adds to a unit's sum. */
export interface Term {
  channel: number;
  rows: number;
  columns: number;
  /** Values, row by row; 0 in the padding. */
  patch: number[];
  /** What each is multiplied by (an average pool's shares too); null where nothing is multiplied. */
  kernel: number[] | null;
  sum: number;
}

/** How one value of one layer came about. */
export interface Explanation {
  /** The engine's value. */
  value: number;
  kind: LayerInfo["kind"];
  /** In pixels of the 28x28 drawing, clipped to it; of no size where only paper around it is seen. */
  receptiveField: Rect;
  /** The window in the source layer's map; null of the input. */
  patch: Rect | null;
  terms: Term[];
  bias: number | null;
  /** Terms and bias; the maximum of a max pool; an activation's argument; the input's value. */
  sum: number;
  /** The function of the sum that gives the value, of an activation layer. */
  activation: string | null;
}

/** A stage of the classifier's network. */
export interface StageInfo {
  name: string;
  shape: [number, number, number];
}

/** What a photo shows. */
export interface Classification {
  /** Five, the best first. */
  top: { index: number; label: string; probability: number }[];
  /** Of the network alone. */
  milliseconds: number;
}

/** What a layer takes for one image. */
export interface LayerCost {
  parameters: number;
  multiplyAdds: number;
}

/** A standard convolution beside a depthwise separable one; ratio is separable / standard. */
export interface ConvolutionCosts {
  standard: LayerCost;
  separable: LayerCost;
  ratio: number;
}

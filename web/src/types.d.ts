/** Description of a layer. */
export interface LayerInfo {
  /** Index in the list of layers; 0 is the input. */
  index: number;
  /** Name of the layer's node in the graph, or "input". */
  name: string;
  kind: "input" | "convolution" | "pool" | "linear" | "activation";
  /** Operation as the network summary names it: "conv 5x5", "avg pool 2x2/2", "fully connected". */
  label: string;
  /** Channels, height and width of the output; a vector is [n, 1, 1]. */
  shape: [number, number, number];
  /** Index of the layer whose output this layer reads; -1 for the input. */
  source: number;
  /** Height and width of the kernel of a convolution or a pool. */
  kernel?: [number, number];
  /** Stride of a convolution or a pool, along height and width. */
  stride?: [number, number];
  /** Padding of a convolution or a pool: rows above and columns on the left. */
  padding?: [number, number];
  pool?: "max" | "average";
  activation?: "relu" | "tanh" | "sigmoid" | "relu6";
}

/** A rectangle in a feature map; top and left are negative in the padding. */
export interface Rect {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** Contribution of one channel to the value of a unit. */
export interface Term {
  /** Channel that the unit reads, counted from 0. */
  channel: number;
  rows: number;
  columns: number;
  /** Values of the patch, row by row; 0 in the padding. */
  patch: number[];
  /**
   * Weight of each value of the patch; the reciprocal of the window's size for an average pool, and null
   * for a max pool or an activation.
   */
  kernel: number[] | null;
  /** Sum of the products of patch and kernel. */
  sum: number;
}

/** How one value of one layer is computed. */
export interface Explanation {
  /** Value that the engine computed. */
  value: number;
  kind: LayerInfo["kind"];
  /**
   * Receptive field in pixels of the 28x28 drawing, clipped to the drawing. Height and width are 0 if the
   * receptive field lies entirely in the padding.
   */
  receptiveField: Rect;
  /** Window in the feature maps that the layer reads; null for the input. */
  patch: Rect | null;
  terms: Term[];
  bias: number | null;
  /**
   * Sum of the terms and the bias; the largest value of a max pool; the argument of an activation; the
   * value of the input.
   */
  sum: number;
  /** Name of the function that maps `sum` to `value`, if the layer is an activation. */
  activation: string | null;
}

/** A stage of the classifier's network. */
export interface StageInfo {
  name: string;
  /** Channels, height and width of the stage's feature maps. */
  shape: [number, number, number];
}

/** The classes of a photo. */
export interface Classification {
  /** The five most probable classes, in descending order of probability. */
  top: { index: number; label: string; probability: number }[];
  /** Inference time in milliseconds, without decoding and preprocessing of the photo. */
  milliseconds: number;
}

/** Cost of a layer for one image. */
export interface LayerCost {
  parameters: number;
  multiplyAdds: number;
}

/** Costs of a standard convolution and of the depthwise separable convolution that replaces it. */
export interface ConvolutionCosts {
  standard: LayerCost;
  separable: LayerCost;
  /** Multiply-adds of the separable convolution divided by the multiply-adds of the standard one. */
  ratio: number;
}

// Runs the engine away from the page's own thread. It answers one request after the other.

import type { Classifier, Engine, Explorer, LayerInfo } from "./contract";
import { download } from "./download";
import type { HandLayer, Method, Methods, Reply, Request } from "./protocol";

/** The smallest module with a simd128 instruction: `i32.const 0; i8x16.splat; drop`. */
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26,
  11,
]);

/** Where the one layer of a layer by itself is, behind the input. */
const SINGLE = 1;

let engine: Promise<Engine> | undefined;
let explorer: Explorer | undefined;
let layers: LayerInfo[] = [];
let classifier: Classifier | undefined;
/** The layer that is set by hand, and what it was made from. */
let byHand: { made: string; network: Explorer } | undefined;

async function start(): Promise<Engine> {
  const module: Engine = WebAssembly.validate(SIMD)
    ? await import("./wasm/simd/receptive_web.js")
    : await import("./wasm/scalar/receptive_web.js");
  await module.default();
  return module;
}

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the network has not been opened yet");
  return value;
}

/** The layer by itself, its values those of the picture; the last one is kept. */
function single({ Explorer }: Engine, hand: HandLayer): Explorer {
  const { operation, settings, picture, weights } = hand;
  const made = JSON.stringify([operation, settings, [...picture], [...weights]]);
  if (byHand?.made === made) return byHand.network;
  byHand?.network.free();
  byHand = undefined;
  const { input, kernel, stride, padding, dilation } = settings;
  const network =
    operation === "convolution"
      ? Explorer.convolution(input, kernel, stride, padding, dilation, weights)
      : Explorer[operation](input, kernel, stride, padding);
  network.run(picture);
  byHand = { made, network };
  return network;
}

type Progress = (loaded: number, total: number | null) => void;

const methods: {
  [M in Method]: (
    engine: Engine,
    takes: Methods[M]["takes"],
    progress: Progress,
  ) => Methods[M]["answers"] | Promise<Methods[M]["answers"]>;
} = {
  async openExplorer(engine, { weights }, progress) {
    explorer = engine.Explorer.lenet5(await download(weights, progress));
    layers = explorer.layers();
    return layers;
  },
  run(_, { image }) {
    const network = opened(explorer);
    const start = performance.now();
    const probabilities = network.run(image);
    const milliseconds = performance.now() - start;
    const values = layers.map((layer) => network.values(layer.index));
    return { probabilities, values, milliseconds };
  },
  explain(_, { layer, channel, row, column }) {
    return opened(explorer).explain(layer, channel, row, column);
  },
  async openClassifier(engine, { weights }, progress) {
    classifier = engine.Classifier.mobilenetV2(await download(weights, progress));
    return classifier.stages();
  },
  classify: (_, { photo }) => opened(classifier).classify(photo),
  stage: (_, { index }) => opened(classifier).stage(index),
  slide(engine, hand) {
    const network = single(engine, hand);
    const layer = network.layers()[SINGLE] as LayerInfo;
    return { layer, values: network.values(SINGLE) };
  },
  explainStop: (engine, { hand, row, column }) =>
    single(engine, hand).explain(SINGLE, 0, row, column),
  convolutionCosts: (engine, { channelsIn, channelsOut, kernel, size }) =>
    engine.convolutionCosts(channelsIn, channelsOut, kernel, size, size),
};

/** What the engine panicked with, where it did and can still say so. */
async function panicked(): Promise<string | undefined> {
  try {
    return (await engine)?.panicked();
  } catch {
    return undefined;
  }
}

async function answer<M extends Method>({ id, method, takes }: Request<M>): Promise<Reply> {
  try {
    engine ??= start().catch((error) => {
      engine = undefined;
      throw error;
    });
    const progress: Progress = (loaded, total) => self.postMessage({ id, loaded, total });
    return { id, answer: await methods[method](await engine, takes, progress) };
  } catch (error) {
    // A trap (a panic, or memory that ran out) leaves the engine's memory in no known state.
    const fatal = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    const message = error instanceof Error ? error.message : String(error);
    return { id, error: (fatal && (await panicked())) || message, fatal };
  }
}

let turn: Promise<void> = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<Request>) => {
  turn = turn.then(async () => self.postMessage(await answer(data)));
};

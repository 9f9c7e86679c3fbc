// Runs the engine in a worker thread, one request after the other.

import type { Classifier, Engine, Explorer, LayerInfo } from "./contract";
import { download } from "./download";
import type { Method, Methods, Reply, Request, SingleLayer } from "./protocol";

/** The smallest module with a simd128 instruction: `i32.const 0; i8x16.splat; drop`. */
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26,
  11,
]);

/** Index of the layer in a single-layer network; layer 0 is the input. */
const SINGLE = 1;

let engine: Promise<Engine> | undefined;
let explorer: Explorer | undefined;
let layers: LayerInfo[] = [];
let classifier: Classifier | undefined;
/** The last single-layer network; `key` is the JSON of the layer and its input. */
let cached: { key: string; network: Explorer } | undefined;

/** Loads the engine: the SIMD build if the browser supports it, else the scalar build. */
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

/** Returns the single-layer network after a run on the picture. The last network is cached. */
function singleLayer({ Explorer }: Engine, single: SingleLayer): Explorer {
  const { operation, settings, picture, weights } = single;
  const key = JSON.stringify([operation, settings, [...picture], [...weights]]);
  if (cached?.key === key) return cached.network;
  cached?.network.free();
  cached = undefined;
  const { input, kernel, stride, padding, dilation } = settings;
  const network =
    operation === "convolution"
      ? Explorer.convolution(input, kernel, stride, padding, dilation, weights)
      : Explorer[operation](input, kernel, stride, padding);
  network.run(picture);
  cached = { key, network };
  return network;
}

type Progress = (loaded: number, total: number | null) => void;

const methods: {
  [M in Method]: (
    engine: Engine,
    args: Methods[M]["args"],
    progress: Progress,
  ) => Methods[M]["result"] | Promise<Methods[M]["result"]>;
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
  runSingleLayer(engine, single) {
    const network = singleLayer(engine, single);
    const layer = network.layers()[SINGLE] as LayerInfo;
    return { layer, values: network.values(SINGLE) };
  },
  explainSingleLayer: (engine, { single, row, column }) =>
    singleLayer(engine, single).explain(SINGLE, 0, row, column),
  convolutionCosts: (engine, { channelsIn, channelsOut, kernel, size }) =>
    engine.convolutionCosts(channelsIn, channelsOut, kernel, size, size),
};

/** Returns the engine's panic message, if the engine has panicked and still answers. */
async function panicMessage(): Promise<string | undefined> {
  try {
    return (await engine)?.panicMessage();
  } catch {
    return undefined;
  }
}

async function handle<M extends Method>({ id, method, args }: Request<M>): Promise<Reply> {
  try {
    engine ??= start().catch((error) => {
      engine = undefined;
      throw error;
    });
    const progress: Progress = (loaded, total) => self.postMessage({ id, loaded, total });
    return { id, result: await methods[method](await engine, args, progress) };
  } catch (error) {
    // After a trap (a panic or exhausted memory) the engine's memory is in an undefined state.
    const fatal = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    const message = error instanceof Error ? error.message : String(error);
    return { id, error: (fatal && (await panicMessage())) || message, fatal };
  }
}

/** Resolves when all requests so far are answered. */
let queue: Promise<void> = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<Request>) => {
  queue = queue.then(async () => self.postMessage(await handle(data)));
};

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Unit } from "../colour/layout";
import { explorer } from "../engine/client";
import type { LayerInfo } from "../engine/contract";
import type { Activity } from "../engine/protocol";
import type { ExplainedUnit } from "../explanation/explained-unit";
import { type Failure, failure } from "../shell/failure";

export interface Selection extends Unit {
  layer: number;
}

/** The image of the last run and the generation of the engine that ran it. */
interface LastRun {
  image: Float32Array;
  generation: number;
}

/** The digit network: its layers, its last run, and the explanation of the selected unit. */
export function useExplorer(selection: Selection | undefined) {
  const [layers, setLayers] = useState<LayerInfo[]>();
  const [activity, setActivity] = useState<Activity>();
  const [explained, setExplained] = useState<ExplainedUnit[]>([]);
  const [problem, setProblem] = useState<Failure>();
  const nextImage = useRef<Float32Array>(undefined);
  const busy = useRef(false);
  const lastRun = useRef<LastRun>(undefined);

  useEffect(() => {
    explorer
      .open("openExplorer", {
        weights: new URL("weights/lenet5.safetensors", document.baseURI).href,
      })
      .then(setLayers, (error) => setProblem(failure(error)));
    explorer.oncrash = (message) => setProblem({ message, crashed: true });
    return () => {
      explorer.oncrash = undefined;
    };
  }, []);

  /** Runs the network on an image. If images arrive faster than results, only the newest one runs. */
  const run = useCallback(async (image: Float32Array) => {
    nextImage.current = image;
    if (busy.current) return;
    busy.current = true;
    while (nextImage.current) {
      const image = nextImage.current;
      nextImage.current = undefined;
      try {
        setActivity(await explorer.call("run", { image }));
        lastRun.current = { image, generation: explorer.generation };
        setProblem(undefined);
      } catch (error) {
        setProblem(failure(error));
      }
    }
    busy.current = false;
  }, []);

  useEffect(() => {
    if (!selection || !layers || !activity) {
      setExplained([]);
      return;
    }
    let current = true;
    restore(lastRun)
      .then(() => explain(layers, selection))
      .then(
        (explained) => current && setExplained(explained),
        (error) => current && setProblem(failure(error)),
      );
    return () => {
      current = false;
    };
  }, [selection, layers, activity]);

  return { layers, activity, explained, problem, run };
}

/** Runs the last image again if the engine has been restarted since. */
async function restore(lastRun: { current: LastRun | undefined }): Promise<void> {
  const last = lastRun.current;
  if (!last || last.generation === explorer.generation) return;
  await explorer.call("run", { image: last.image });
  lastRun.current = { ...last, generation: explorer.generation };
}

/** Explains a unit. For an activation, the unit that computes its argument comes first. */
async function explain(
  layers: LayerInfo[],
  { layer, ...unit }: Selection,
): Promise<ExplainedUnit[]> {
  const info = layers[layer];
  if (!info) return [];
  const explanation = await explorer.call("explain", { layer, ...unit });
  const explained = { layer: info, unit, explanation };
  if (info.kind !== "activation") return [explained];
  return [...(await explain(layers, { layer: info.source, ...unit })), explained];
}

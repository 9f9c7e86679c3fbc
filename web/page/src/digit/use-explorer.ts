import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Unit } from "../colour/layout";
import { explorer } from "../engine/client";
import type { LayerInfo } from "../engine/contract";
import type { Activity } from "../engine/protocol";
import type { Explained } from "../explanation/step";
import { type Failure, failure } from "../shell/failure";

export interface Selection extends Unit {
  layer: number;
}

/** What an engine has computed, and which engine it was. */
interface Ran {
  image: Float32Array;
  generation: number;
}

/** The digit network: its layers, its last run, and the arithmetic of the selected unit. */
export function useExplorer(selection: Selection | undefined) {
  const [layers, setLayers] = useState<LayerInfo[]>();
  const [activity, setActivity] = useState<Activity>();
  const [explained, setExplained] = useState<Explained[]>([]);
  const [problem, setProblem] = useState<Failure>();
  const waiting = useRef<Float32Array>(undefined);
  const busy = useRef(false);
  const ran = useRef<Ran>(undefined);

  useEffect(() => {
    explorer
      .open("openExplorer", {
        weights: new URL("weights/lenet5.safetensors", document.baseURI).href,
      })
      .then(setLayers, (error) => setProblem(failure(error)));
    explorer.onbreak = (message) => setProblem({ message, broke: true });
    return () => {
      explorer.onbreak = undefined;
    };
  }, []);

  /** Runs the network on an image; where images come faster than answers, the last one counts. */
  const run = useCallback(async (image: Float32Array) => {
    waiting.current = image;
    if (busy.current) return;
    busy.current = true;
    while (waiting.current) {
      const image = waiting.current;
      waiting.current = undefined;
      try {
        setActivity(await explorer.ask("run", { image }));
        ran.current = { image, generation: explorer.generation };
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
    restore(ran)
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

/** Gives an engine that was made anew the values that are on the page. */
async function restore(ran: { current: Ran | undefined }): Promise<void> {
  const last = ran.current;
  if (!last || last.generation === explorer.generation) return;
  await explorer.ask("run", { image: last.image });
  ran.current = { ...last, generation: explorer.generation };
}

/** The arithmetic of a unit; of an activation's, what made its argument comes first. */
async function explain(layers: LayerInfo[], { layer, ...unit }: Selection): Promise<Explained[]> {
  const info = layers[layer];
  if (!info) return [];
  const explanation = await explorer.ask("explain", { layer, ...unit });
  const own = { layer: info, unit, explanation };
  if (info.kind !== "activation") return [own];
  return [...(await explain(layers, { layer: info.source, ...unit })), own];
}

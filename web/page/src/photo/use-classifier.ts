import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { classifier } from "../engine/client";
import type { Classification, StageInfo } from "../engine/contract";
import { type Failure, failure } from "../shell/failure";

export interface Photo {
  name: string;
  bytes: Uint8Array;
}

export type Progress = { loaded: number; total: number | null };

export interface Result {
  photo: Photo;
  classification: Classification;
  /** The engine that found it. */
  generation: number;
}

const WEIGHTS = new URL("weights/mobilenet_v2-f16.safetensors", document.baseURI).href;

/** The photo network: how far it is loaded, what it says of the last photo, and its maps. */
export function useClassifier() {
  const [stages, setStages] = useState<StageInfo[]>([]);
  const [progress, setProgress] = useState<Progress>();
  const [result, setResult] = useState<Result>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Failure>();
  const newest = useRef(0);

  useEffect(() => {
    classifier.onbreak = (message) => setProblem({ message, broke: true });
    return () => {
      classifier.onbreak = undefined;
    };
  }, []);

  const classify = useCallback(async (load: () => Promise<Photo>) => {
    const turn = ++newest.current;
    setBusy(true);
    setProblem(undefined);
    try {
      const photo = await load();
      // The network is asked for when this part is first used, and stays.
      const progress = (loaded: number, total: number | null) => setProgress({ loaded, total });
      setStages(await classifier.open("openClassifier", { weights: WEIGHTS }, progress));
      setProgress(undefined);
      const classification = await classifier.ask("classify", { photo: photo.bytes });
      if (turn === newest.current) {
        setResult({ photo, classification, generation: classifier.generation });
      }
    } catch (error) {
      if (turn === newest.current) setProblem(failure(error));
    } finally {
      setProgress(undefined);
      if (turn === newest.current) setBusy(false);
    }
  }, []);

  /** The maps of one stage for the photo classified last. */
  const stage = useCallback(async (index: number, result: Result) => {
    try {
      if (result.generation !== classifier.generation) {
        // An engine that was made anew has seen no photo yet.
        await classifier.ask("classify", { photo: result.photo.bytes });
        result.generation = classifier.generation;
      }
      return await classifier.ask("stage", { index });
    } catch (error) {
      setProblem(failure(error));
      return undefined;
    }
  }, []);

  return { stages, progress, result, busy, problem, classify, stage };
}

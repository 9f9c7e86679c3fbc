import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { classifier } from "../engine/client";
import type { Classification, StageInfo } from "../engine/contract";
import { type Failure, failure } from "../shell/failure";

export interface Photo {
  name: string;
  bytes: Uint8Array;
}

/** Bytes downloaded so far; `total` is null if the server does not send the length. */
export type Progress = { loaded: number; total: number | null };

export interface Result {
  photo: Photo;
  classification: Classification;
  /** Generation of the engine that holds the feature maps. */
  generation: number;
}

const WEIGHTS = new URL("weights/mobilenet_v2-f16.safetensors", document.baseURI).href;

/** The photo network: its download progress, the classes of the last photo, and its feature maps. */
export function useClassifier() {
  const [stages, setStages] = useState<StageInfo[]>([]);
  const [progress, setProgress] = useState<Progress>();
  const [result, setResult] = useState<Result>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Failure>();
  const lastRequest = useRef(0);

  useEffect(() => {
    classifier.oncrash = (message) => setProblem({ message, crashed: true });
    return () => {
      classifier.oncrash = undefined;
    };
  }, []);

  const classify = useCallback(async (load: () => Promise<Photo>) => {
    const request = ++lastRequest.current;
    setBusy(true);
    setProblem(undefined);
    try {
      const photo = await load();
      // The first photo downloads the weights.
      const progress = (loaded: number, total: number | null) => setProgress({ loaded, total });
      setStages(await classifier.open("openClassifier", { weights: WEIGHTS }, progress));
      setProgress(undefined);
      const classification = await classifier.call("classify", { photo: photo.bytes });
      if (request === lastRequest.current) {
        setResult({ photo, classification, generation: classifier.generation });
      }
    } catch (error) {
      if (request === lastRequest.current) setProblem(failure(error));
    } finally {
      setProgress(undefined);
      if (request === lastRequest.current) setBusy(false);
    }
  }, []);

  /** Returns the feature maps of a stage for the photo of `result`, or undefined after an error. */
  const stage = useCallback(async (index: number, result: Result) => {
    try {
      if (result.generation !== classifier.generation) {
        // A restarted engine has no feature maps of the photo.
        await classifier.call("classify", { photo: result.photo.bytes });
        result.generation = classifier.generation;
      }
      return await classifier.call("stage", { index });
    } catch (error) {
      setProblem(failure(error));
      return undefined;
    }
  }, []);

  return { stages, progress, result, busy, problem, classify, stage };
}

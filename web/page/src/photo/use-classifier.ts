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
      if (turn === newest.current) setResult({ photo, classification });
    } catch (error) {
      if (turn === newest.current) setProblem(failure(error));
    } finally {
      setProgress(undefined);
      if (turn === newest.current) setBusy(false);
    }
  }, []);

  return { stages, progress, result, busy, problem, classify };
}

/** The maps of one stage for the photo classified last. */
export function useStage(index: number, result: Result | undefined): Float32Array | undefined {
  const [maps, setMaps] = useState<Float32Array>();
  useEffect(() => {
    if (!result) return;
    let current = true;
    classifier.ask("stage", { index }).then(
      (maps) => current && setMaps(maps),
      // Where the engine broke since, the maps that are on the page stay.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [index, result]);
  return maps;
}

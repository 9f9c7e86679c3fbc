import { useEffect, useState } from "preact/hooks";
import { explorer } from "../engine/client";
import type { Explanation, LayerInfo } from "../engine/contract";
import type { SingleLayer } from "../engine/protocol";
import { type Failure, failure } from "../shell/failure";

/** A single layer and its output. */
export interface LayerOutput {
  single: SingleLayer;
  layer: LayerInfo;
  values: Float32Array;
}

/** Runs a single layer. Until the engine answers, the hook returns the output of the previous layer. */
export function useLayerOutput(single: SingleLayer): { output?: LayerOutput; problem?: Failure } {
  const [outcome, setOutcome] = useState<{ output?: LayerOutput; problem?: Failure }>({});
  useEffect(() => {
    let current = true;
    explorer.call("runSingleLayer", single).then(
      (result) => current && setOutcome({ output: { single, ...result } }),
      (error) => current && setOutcome({ problem: failure(error) }),
    );
    return () => {
      current = false;
    };
  }, [single]);
  return outcome;
}

/** Explains the output value of a single layer at one window position. */
export function useOutputExplanation(single: SingleLayer, row: number, column: number) {
  const [explanation, setExplanation] = useState<Explanation>();
  const [problem, setProblem] = useState<Failure>();
  useEffect(() => {
    let current = true;
    explorer.call("explainSingleLayer", { single, row, column }).then(
      (result) => {
        if (!current) return;
        setExplanation(result);
        setProblem(undefined);
      },
      (error) => current && setProblem(failure(error)),
    );
    return () => {
      current = false;
    };
  }, [single, row, column]);
  return { explanation, problem };
}

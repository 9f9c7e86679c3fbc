import { useEffect, useState } from "preact/hooks";
import { explorer } from "../engine/client";
import type { Explanation, LayerInfo } from "../engine/contract";
import type { HandLayer } from "../engine/protocol";
import { type Failure, failure } from "../shell/failure";

/** A layer that is set by hand, with its output. */
export interface Slid {
  hand: HandLayer;
  layer: LayerInfo;
  values: Float32Array;
}

/** What the window makes of the picture; until the answer is there, what the one before made. */
export function useSlide(hand: HandLayer): { slid?: Slid; problem?: Failure } {
  const [outcome, setOutcome] = useState<{ slid?: Slid; problem?: Failure }>({});
  useEffect(() => {
    let current = true;
    explorer.ask("slide", hand).then(
      (answer) => current && setOutcome({ slid: { hand, ...answer } }),
      (error) => current && setOutcome({ problem: failure(error) }),
    );
    return () => {
      current = false;
    };
  }, [hand]);
  return outcome;
}

/** How the value of one stop came about. */
export function useStop(hand: HandLayer, row: number, column: number) {
  const [explanation, setExplanation] = useState<Explanation>();
  const [problem, setProblem] = useState<Failure>();
  useEffect(() => {
    let current = true;
    explorer.ask("explainStop", { hand, row, column }).then(
      (answer) => {
        if (!current) return;
        setExplanation(answer);
        setProblem(undefined);
      },
      (error) => current && setProblem(failure(error)),
    );
    return () => {
      current = false;
    };
  }, [hand, row, column]);
  return { explanation, problem };
}

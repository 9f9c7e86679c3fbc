import { useEffect, useState } from "preact/hooks";
import { type Failure, failure } from "../shell/failure";

/** An entry of `networks/index.json`. */
export interface Network {
  name: string;
  family: string;
  paper: { authors: string; title: string; year: number };
  parameters: number;
  multiplyAdds: number;
  activationBytes: number;
  input: [number, number, number];
}

/** A layer in the output of `receptive summary --json`. */
export interface Layer {
  name: string;
  kind: string;
  activation: string | null;
  output: number[];
  parameters: number;
  formula: string;
  macs: number;
  memory_bytes: number;
}

/** The output of `receptive summary --json`. */
export interface Summary {
  model: string;
  input: number[];
  parameters: number;
  parameter_bytes: number;
  macs: number;
  activation_bytes: number;
  receptive_field: [number, number] | null;
  layers: Layer[];
}

/** Loads a JSON file of the page; returns its content or the error. */
export function useFile<T>(address: string): { content?: T; problem?: Failure } {
  const [state, setState] = useState<{ address: string; content?: T; problem?: Failure }>();
  useEffect(() => {
    let current = true;
    read<T>(address).then(
      (content) => current && setState({ address, content }),
      (error) => current && setState({ address, problem: failure(error) }),
    );
    return () => {
      current = false;
    };
  }, [address]);
  return state?.address === address ? state : {};
}

async function read<T>(address: string): Promise<T> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return response.json();
}

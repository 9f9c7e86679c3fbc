import { EngineCrashed } from "../engine/client";

/** An error to show to the visitor. */
export interface Failure {
  message: string;
  /** Whether the engine crashed and has been restarted. */
  crashed: boolean;
}

export function failure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { message, crashed: error instanceof EngineCrashed };
}

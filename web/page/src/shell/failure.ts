import { EngineBroke } from "../engine/client";

export interface Failure {
  message: string;
  /** The engine itself broke and was made anew. */
  broke: boolean;
}

export function failure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { message, broke: error instanceof EngineBroke };
}

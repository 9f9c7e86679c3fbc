import { useLanguage, useText } from "../text";
import type { Failure } from "./failure";

/** Shows an error with the engine's message, which is in English. */
export function Problem({ problem }: { problem: Failure | undefined }) {
  const text = useText();
  const language = useLanguage();
  return (
    <div role="alert">
      {problem && (
        <p class="problem">
          {problem.crashed ? `${text.problem.crashed} ` : ""}
          <span lang={language === "en" ? undefined : "en"}>{problem.message}</span>
        </p>
      )}
    </div>
  );
}

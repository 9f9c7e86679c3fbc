import { useLanguage, useText } from "../text";
import type { Failure } from "./failure";

/** Says what went wrong, in the engine's own words. */
export function Problem({ problem }: { problem: Failure | undefined }) {
  const text = useText();
  const language = useLanguage();
  return (
    <div role="alert">
      {problem && (
        <p class="problem">
          {problem.broke ? `${text.problem.broke} ` : ""}
          <span lang={language === "en" ? undefined : "en"}>{problem.message}</span>
        </p>
      )}
    </div>
  );
}

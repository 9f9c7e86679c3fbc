import { useText } from "../text";
import { Figure } from "../text/figure";
import type { ExplainedUnit } from "./explained-unit";

/** The values of a pool's window and their maximum or mean. */
export function Pool({ explained: { layer, explanation } }: { explained: ExplainedUnit }) {
  const text = useText();
  const maximum = layer.pool === "max";
  const term = explanation.terms[0];
  if (!term) return null;
  const largest = maximum ? term.patch.indexOf(Math.max(...term.patch)) : -1;
  const rows = Array.from({ length: term.rows }, (_, row) =>
    term.patch.slice(row * term.columns, (row + 1) * term.columns),
  );
  return (
    <div class="step">
      <p class="hint">{maximum ? text.explain.maximum : text.explain.average}</p>
      <table class="window">
        <caption class="unseen">{text.explain.window}</caption>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => {
                const marked = index * term.columns + column === largest;
                return (
                  <td key={column} class={marked ? "marked" : ""}>
                    <Figure value={value} name="pooled" />
                    {marked && <span class="unseen">{text.explain.largest}</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <dl class="total">
        {!maximum && (
          <>
            <dt>{text.explain.sum}</dt>
            <dd>
              <Figure value={term.patch.reduce((sum, value) => sum + value, 0)} />
            </dd>
          </>
        )}
        <dt>{maximum ? text.explain.largest : text.explain.mean(term.patch.length)}</dt>
        <dd class="result">
          <Figure value={explanation.value} />
        </dd>
      </dl>
    </div>
  );
}

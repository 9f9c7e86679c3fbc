import { useState } from "preact/hooks";
import { Grid } from "../colour/grid";
import { Maps } from "../colour/maps";
import { maxAbs, SCALES, type Theme } from "../colour/scale";
import type { Explanation, Term } from "../engine/contract";
import { Scroll } from "../shell/scroll";
import { useText } from "../text";
import { Figure } from "../text/figure";
import type { ExplainedUnit } from "./explained-unit";

interface Props {
  explained: ExplainedUnit;
  theme: Theme;
  /** Width and height of a value's square, in pixels. */
  cell: number;
}

/** The sum of products of a convolution or a fully connected layer: a term for each channel, and the bias. */
export function Products({ explained: { explanation }, theme, cell }: Props) {
  const text = useText();
  const { terms } = explanation;
  const scalar = terms.every(({ rows, columns }) => rows * columns === 1);
  const scale = SCALES[theme].signed;
  const patch = maxAbs(terms.flatMap((term) => term.patch));
  const kernel = maxAbs(terms.flatMap((term) => term.kernel ?? []));
  const colours = {
    patch: { scale, low: -patch, high: patch },
    kernel: { scale, low: -kernel, high: kernel },
  };
  return (
    <div class="step">
      {scalar ? (
        <Vectors terms={terms} colours={colours} />
      ) : (
        <>
          <p class="hint">{text.explain.patchTimesKernel}</p>
          <ol class="terms">
            {terms.map(({ channel, rows, columns, patch, kernel, sum }) => (
              <li key={channel}>
                <span class="channel">{text.explain.channel(channel + 1)}</span>
                <Grid values={patch} {...{ rows, columns }} cell={cell} colours={colours.patch} />
                <span aria-hidden="true">×</span>
                <Grid
                  values={kernel ?? []}
                  {...{ rows, columns }}
                  cell={cell}
                  colours={colours.kernel}
                />
                <span aria-hidden="true">=</span>
                <Figure value={sum} name="term" />
              </li>
            ))}
          </ol>
        </>
      )}
      <Sum explanation={explanation} />
      <AllProducts terms={terms} />
    </div>
  );
}

type ColourPair = Record<"patch" | "kernel", Parameters<typeof Grid>[0]["colours"]>;

/** Inputs and weights as two vectors, if every term is a single product. */
function Vectors({ terms, colours }: { terms: Term[]; colours: ColourPair }) {
  const text = useText();
  const shape: [number, number, number] = [terms.length, 1, 1];
  const vector = (values: number[], of: keyof ColourPair, label: string) => (
    <>
      <p class="hint">{label}</p>
      <Maps
        shape={shape}
        values={Float32Array.from(values)}
        colours={colours[of]}
        label={label}
        minSize={0}
        maxSize={0}
      />
    </>
  );
  return (
    <>
      {vector(
        terms.flatMap((term) => term.patch),
        "patch",
        text.explain.inputs(terms.length),
      )}
      {vector(
        terms.flatMap((term) => term.kernel ?? []),
        "kernel",
        text.explain.weights(terms.length),
      )}
    </>
  );
}

/** The sum of the products, the bias, and their sum. */
function Sum({ explanation: { terms, bias, sum } }: { explanation: Explanation }) {
  const text = useText();
  const products = terms.reduce((total, term) => total + term.sum, 0);
  return (
    <dl class="total">
      <dt>{text.explain.products(terms.reduce((count, term) => count + term.patch.length, 0))}</dt>
      <dd>
        <Figure value={products} name="products" />
      </dd>
      {bias !== null && (
        <>
          <dt>{text.explain.bias}</dt>
          <dd>
            <Figure value={bias} name="bias" />
          </dd>
        </>
      )}
      <dt>{text.explain.sum}</dt>
      <dd class="result">
        <Figure value={sum} name="sum" />
      </dd>
    </dl>
  );
}

/** A table of all products, rendered when it is opened. */
function AllProducts({ terms }: { terms: Term[] }) {
  const text = useText();
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text.explain.every}</summary>
      {open && (
        <Scroll label={text.explain.every}>
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">{text.explain.channelHead}</th>
                <th scope="col">{text.explain.inputHead}</th>
                <th scope="col">{text.explain.weightHead}</th>
                <th scope="col">{text.explain.productHead}</th>
              </tr>
            </thead>
            <tbody>
              {terms.flatMap(({ channel, patch, kernel }) =>
                patch.map((value, tap) => {
                  const weight = kernel?.[tap] ?? 0;
                  return (
                    <tr key={`${channel}.${tap}`}>
                      <td>{channel + 1}</td>
                      <td>
                        <Figure value={value} />
                      </td>
                      <td>
                        <Figure value={weight} />
                      </td>
                      <td>
                        <Figure value={value * weight} name="product" />
                      </td>
                    </tr>
                  );
                }),
              )}
            </tbody>
          </table>
        </Scroll>
      )}
    </details>
  );
}

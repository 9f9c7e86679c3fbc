import type { WindowSettings } from "../engine/protocol";
import { useText } from "../text";

type Numbers = Record<keyof WindowSettings, number | string>;

const SYMBOLS: Numbers = { input: "n", kernel: "k", stride: "s", padding: "p", dilation: "d" };

/** The formula of the output size, first with symbols and then with the numbers. */
export function Formula(props: { settings: WindowSettings; size: number | undefined }) {
  const text = useText();
  return (
    <figure class="formula" aria-label={text.convolution.outputSize}>
      <math display="block">
        <Line numbers={SYMBOLS} />
      </math>
      <math display="block">
        <Line numbers={props.settings} />
        {props.size !== undefined && (
          <>
            <mo>=</mo>
            <mn class="result">{props.size}</mn>
          </>
        )}
      </math>
    </figure>
  );
}

function Line({ numbers: { input, kernel, stride, padding, dilation } }: { numbers: Numbers }) {
  const item = (value: number | string) =>
    typeof value === "string" ? <mi>{value}</mi> : <mn>{value}</mn>;
  return (
    <mrow>
      <mrow class="floor">
        <mfrac>
          <mrow>
            {item(input)}
            <mo>+</mo>
            <mn>2</mn>
            <mo>·</mo>
            {item(padding)}
            <mo>−</mo>
            {item(dilation)}
            <mo>·</mo>
            <mo>(</mo>
            {item(kernel)}
            <mo>−</mo>
            <mn>1</mn>
            <mo>)</mo>
            <mo>−</mo>
            <mn>1</mn>
          </mrow>
          {item(stride)}
        </mfrac>
      </mrow>
      <mo>+</mo>
      <mn>1</mn>
    </mrow>
  );
}

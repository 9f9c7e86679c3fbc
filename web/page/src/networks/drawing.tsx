import { useState } from "preact/hooks";
import { Scroll } from "../shell/scroll";
import { useText } from "../text";

const STYLES = ["blocks", "graph"] as const;

const wide = matchMedia("(min-width: 48rem)");

/** The diagram of a network, in one of two styles. */
export function Drawing({ name }: { name: string }) {
  const text = useText();
  const [style, setStyle] = useState<(typeof STYLES)[number]>("blocks");
  const [fit, setFit] = useState(wide.matches);
  const file = `networks/${name}-${style}.svg`;
  const label = text.networks.drawingOf(name, text.networks[style]);
  return (
    <section class="drawing" aria-labelledby="drawing">
      <div class="bar">
        <h2 id="drawing">{text.networks.drawing}</h2>
        <fieldset class="choice">
          <legend class="unseen">{text.networks.style}</legend>
          {STYLES.map((option) => (
            <label key={option}>
              <input
                type="radio"
                name="style"
                checked={option === style}
                onChange={() => setStyle(option)}
              />
              {text.networks[option]}
            </label>
          ))}
        </fieldset>
        <label>
          <input
            type="checkbox"
            checked={fit}
            onChange={(event) => setFit(event.currentTarget.checked)}
          />{" "}
          {text.networks.fit}
        </label>
        <a href={file} target="_blank" rel="noopener">
          {text.networks.open}
        </a>
      </div>
      <Scroll class={fit ? "sheet fit" : "sheet"} label={label}>
        <img key={file} src={file} alt={label} />
      </Scroll>
    </section>
  );
}

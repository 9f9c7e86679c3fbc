import { useState } from "preact/hooks";
import { Scroll } from "../shell/scroll";
import { useText } from "../text";

const STYLES = ["blocks", "graph"] as const;

const wide = matchMedia("(min-width: 48rem)");

/** The network's picture, in one of two styles. */
export function Drawing({ name }: { name: string }) {
  const text = useText();
  const [style, setStyle] = useState<(typeof STYLES)[number]>("blocks");
  const [whole, setWhole] = useState(wide.matches);
  const file = `networks/${name}-${style}.svg`;
  const label = text.networks.drawingOf(name, text.networks[style]);
  return (
    <section class="drawing" aria-labelledby="drawing">
      <div class="bar">
        <h2 id="drawing">{text.networks.drawing}</h2>
        <fieldset class="choice">
          <legend class="unseen">{text.networks.style}</legend>
          {STYLES.map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="style"
                checked={one === style}
                onChange={() => setStyle(one)}
              />
              {text.networks[one]}
            </label>
          ))}
        </fieldset>
        <label>
          <input
            type="checkbox"
            checked={whole}
            onChange={(event) => setWhole(event.currentTarget.checked)}
          />{" "}
          {text.networks.fit}
        </label>
        <a href={file} target="_blank" rel="noopener">
          {text.networks.open}
        </a>
      </div>
      <Scroll class={whole ? "sheet fit" : "sheet"} label={label}>
        <img key={file} src={file} alt={label} />
      </Scroll>
    </section>
  );
}

import type { Frame } from "../colour/maps";
import type { LayerInfo, Rect } from "../engine/contract";
import type { Explained } from "../explanation/step";
import { SIZE } from "./centre";

/** What lights up in each layer: the unit, what it was made of, and its receptive field. */
export function frames(layers: LayerInfo[], explained: Explained[]): Map<number, Frame[]> {
  const marks = new Map<number, Frame[]>();
  const last = explained.at(-1);
  if (!last) return marks;
  const add = (layer: number, ...frames: Frame[]) => {
    marks.set(layer, [...(marks.get(layer) ?? []), ...frames]);
  };
  for (const { layer, unit, explanation } of explained) {
    const window = { top: unit.row, left: unit.column, height: 1, width: 1 };
    add(layer.index, { channel: unit.channel, window, role: "unit" });
    const source = layers[layer.source];
    if (source && layer.kind !== "activation") {
      const window = explanation.patch ?? whole(source);
      const vector = source.shape[1] * source.shape[2] === 1;
      const read = vector ? (["all"] as const) : explanation.terms.map(({ channel }) => channel);
      add(source.index, ...read.map((channel) => ({ channel, window, role: "source" as const })));
    }
  }
  const input = layers[0];
  if (input && last.layer.index > 0) {
    // The network's input has a margin of paper around the drawing.
    const margin = (input.shape[1] - SIZE) / 2;
    const { top, left, height, width } = last.explanation.receptiveField;
    const window = { top: top + margin, left: left + margin, height, width };
    add(0, { channel: 0, window, role: "field" });
  }
  return marks;
}

function whole({ shape: [, height, width] }: LayerInfo): Rect {
  return { top: 0, left: 0, height, width };
}

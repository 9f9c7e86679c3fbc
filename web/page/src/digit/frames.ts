import type { Frame } from "../colour/maps";
import type { LayerInfo, Rect } from "../engine/contract";
import type { ExplainedUnit } from "../explanation/explained-unit";
import { SIZE } from "./centre";

/** Returns the frames of each layer: the selected unit, the windows that it reads, its receptive field. */
export function frames(layers: LayerInfo[], explained: ExplainedUnit[]): Map<number, Frame[]> {
  const framesOf = new Map<number, Frame[]>();
  const last = explained.at(-1);
  if (!last) return framesOf;
  const add = (layer: number, ...frames: Frame[]) => {
    framesOf.set(layer, [...(framesOf.get(layer) ?? []), ...frames]);
  };
  for (const { layer, unit, explanation } of explained) {
    const window = { top: unit.row, left: unit.column, height: 1, width: 1 };
    add(layer.index, { channel: unit.channel, window, role: "unit" });
    const source = layers[layer.source];
    if (source && layer.kind !== "activation") {
      const window = explanation.patch ?? fullRect(source);
      const vector = source.shape[1] * source.shape[2] === 1;
      const read = vector ? (["all"] as const) : explanation.terms.map(({ channel }) => channel);
      add(source.index, ...read.map((channel) => ({ channel, window, role: "source" as const })));
    }
  }
  const input = layers[0];
  if (input && last.layer.index > 0) {
    // The network's input is the drawing with a padding of paper.
    const padding = (input.shape[1] - SIZE) / 2;
    const { top, left, height, width } = last.explanation.receptiveField;
    const window = { top: top + padding, left: left + padding, height, width };
    add(0, { channel: 0, window, role: "field" });
  }
  return framesOf;
}

function fullRect({ shape: [, height, width] }: LayerInfo): Rect {
  return { top: 0, left: 0, height, width };
}

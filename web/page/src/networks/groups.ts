import type { Layer } from "./catalogue";

/** Layers whose names begin alike, with what they cost together. */
export interface Group {
  name: string;
  parameters: number;
  macs: number;
  memory: number;
}

const ENOUGH = 5;

/**
 * The parts of a network: its layers by the first one or more parts of their names, as few as make at
 * least five groups.
 */
export function groups(layers: Layer[]): Group[] {
  const deepest = Math.max(1, ...layers.map(({ name }) => name.split(".").length));
  for (let depth = 1; depth < deepest; depth++) {
    const found = at(layers, depth);
    if (found.length >= ENOUGH) return found;
  }
  return at(layers, deepest);
}

function at(layers: Layer[], depth: number): Group[] {
  const found = new Map<string, Group>();
  for (const layer of layers) {
    const name = layer.name.split(".").slice(0, depth).join(".");
    const group = found.get(name) ?? { name, parameters: 0, macs: 0, memory: 0 };
    group.parameters += layer.parameters;
    group.macs += layer.macs;
    group.memory += layer.memory_bytes;
    found.set(name, group);
  }
  return [...found.values()];
}

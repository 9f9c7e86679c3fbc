import type { Layer } from "./catalogue";

/** Layers whose names have a common prefix, with their total cost. */
export interface Group {
  name: string;
  parameters: number;
  macs: number;
  memory: number;
}

const MIN_GROUPS = 5;

/**
 * Groups the layers of a network by module: by the first components of their dotted names. The number of
 * components is the smallest that gives at least five groups.
 */
export function groups(layers: Layer[]): Group[] {
  const deepest = Math.max(1, ...layers.map(({ name }) => name.split(".").length));
  for (let depth = 1; depth < deepest; depth++) {
    const found = groupByPrefix(layers, depth);
    if (found.length >= MIN_GROUPS) return found;
  }
  return groupByPrefix(layers, deepest);
}

/** Groups layers by the first `depth` components of their names. */
function groupByPrefix(layers: Layer[], depth: number): Group[] {
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

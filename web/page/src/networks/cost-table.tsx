import { type Column, Sortable } from "../shell/sortable";
import { useText } from "../text";
import { bytes, integer } from "../text/numbers";
import type { Layer, Summary } from "./catalogue";

interface Row extends Layer {
  /** Index of the layer in the network. */
  index: number;
}

/** A table of the shape and the cost of every layer. */
export function CostTable({ summary }: { summary: Summary }) {
  const text = useText();
  const rows = summary.layers.map((layer, index) => ({ ...layer, index }));
  const columns: Column<Row>[] = [
    {
      key: "index",
      title: text.networks.number,
      order: ({ index }) => index,
      show: ({ index }) => index + 1,
      number: true,
    },
    {
      key: "name",
      title: text.networks.layer,
      order: ({ name }) => name,
      show: ({ name }) => name,
    },
    {
      key: "kind",
      title: text.networks.kind,
      order: ({ kind }) => kind,
      show: ({ kind, activation }) => (
        <span lang="en">{activation ? `${kind}, ${activation}` : kind}</span>
      ),
    },
    {
      key: "output",
      title: text.networks.output,
      order: ({ output }) => output.reduce((product, length) => product * length, 1),
      show: ({ output }) => output.slice(1).join(" × "),
      number: true,
    },
    {
      key: "memory",
      title: text.networks.memory,
      order: ({ memory_bytes }) => memory_bytes,
      show: ({ memory_bytes }) => (memory_bytes ? bytes(memory_bytes) : ""),
      number: true,
    },
    {
      key: "formula",
      title: text.networks.weights,
      order: ({ formula }) => formula,
      show: ({ formula }) => formula.replaceAll("x", " × "),
      number: true,
    },
    {
      key: "parameters",
      title: text.networks.parameters,
      order: ({ parameters }) => parameters,
      show: ({ parameters }) => (parameters ? integer(parameters) : ""),
      number: true,
    },
    {
      key: "macs",
      title: text.networks.multiplyAdds,
      order: ({ macs }) => macs,
      show: ({ macs }) => (macs ? integer(macs) : ""),
      number: true,
    },
  ];
  return (
    <section class="costs" aria-labelledby="costs">
      <h2 id="costs">{text.networks.costs}</h2>
      <Sortable
        caption={text.networks.costsOf(summary.model)}
        columns={columns}
        rows={rows}
        name="name"
        identity={({ name, index }) => `${index}.${name}`}
      />
    </section>
  );
}

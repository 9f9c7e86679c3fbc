import { type Column, Sortable } from "../shell/sortable";
import { useText } from "../text";
import { bytes, whole } from "../text/numbers";
import type { Layer, Summary } from "./catalogue";

interface Row extends Layer {
  place: number;
}

/** What every layer costs. */
export function CostTable({ summary }: { summary: Summary }) {
  const text = useText();
  const rows = summary.layers.map((layer, place) => ({ ...layer, place }));
  const columns: Column<Row>[] = [
    {
      key: "place",
      title: text.networks.place,
      order: ({ place }) => place,
      show: ({ place }) => place + 1,
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
      show: ({ parameters }) => (parameters ? whole(parameters) : ""),
      number: true,
    },
    {
      key: "macs",
      title: text.networks.multiplyAdds,
      order: ({ macs }) => macs,
      show: ({ macs }) => (macs ? whole(macs) : ""),
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
        identity={({ name, place }) => `${place}.${name}`}
      />
    </section>
  );
}

import { Problem } from "../shell/problem";
import { address, useRoute } from "../shell/route";
import { type Column, Sortable } from "../shell/sortable";
import { useText } from "../text";
import { bytes, compact } from "../text/numbers";
import { type Network, useFile } from "./catalogue";
import { Detail } from "./detail";

/** The view of all networks, or of the network in the address. */
export function NetworksView() {
  const text = useText();
  const { detail } = useRoute();
  const { content, problem } = useFile<Network[]>("networks/index.json");
  const network = content?.find(({ name }) => name === detail);
  if (content && network) return <Detail network={network} all={content} />;
  return (
    <>
      <header class="lead">
        <h1>{text.networks.title}</h1>
        <p>{text.networks.lead}</p>
      </header>
      <Problem problem={problem} />
      {content && detail && <p role="alert">{text.networks.unknown(detail)}</p>}
      {content && <List networks={content} />}
    </>
  );
}

function List({ networks }: { networks: Network[] }) {
  const text = useText();
  const columns: Column<Network>[] = [
    {
      key: "name",
      title: text.networks.name,
      order: ({ name }) => name,
      show: ({ name }) => <a href={address("networks", name)}>{name}</a>,
    },
    {
      key: "year",
      title: text.networks.year,
      order: ({ paper }) => paper.year,
      show: ({ paper }) => paper.year,
      number: true,
    },
    {
      key: "parameters",
      title: text.networks.parameters,
      order: ({ parameters }) => parameters,
      show: ({ parameters }) => <data value={String(parameters)}>{compact(parameters)}</data>,
      number: true,
    },
    {
      key: "macs",
      title: text.networks.multiplyAdds,
      order: ({ multiplyAdds }) => multiplyAdds,
      show: ({ multiplyAdds }) => <data value={String(multiplyAdds)}>{compact(multiplyAdds)}</data>,
      number: true,
    },
    {
      key: "memory",
      title: text.networks.memory,
      order: ({ activationBytes }) => activationBytes,
      show: ({ activationBytes }) => bytes(activationBytes),
      number: true,
    },
    {
      key: "paper",
      title: text.networks.paper,
      order: ({ paper }) => paper.title,
      show: ({ paper }) => (
        <span lang="en" class="paper-title">
          {paper.authors}, <cite>{paper.title}</cite>
        </span>
      ),
    },
  ];
  return (
    <Sortable
      caption={text.networks.all(networks.length)}
      columns={columns}
      rows={networks}
      name="name"
      identity={({ name }) => name}
    />
  );
}

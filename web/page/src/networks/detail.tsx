import { Problem } from "../shell/problem";
import { address } from "../shell/route";
import { useText } from "../text";
import { bytes, integer } from "../text/numbers";
import { type Network, type Summary, useFile } from "./catalogue";
import { CostTable } from "./cost-table";
import { Drawing } from "./drawing";
import { ModuleCosts } from "./module-costs";

/** One network: its paper, its totals, its diagram, and its costs by module and by layer. */
export function Detail({ network, all }: { network: Network; all: Network[] }) {
  const text = useText();
  const { content, problem } = useFile<Summary>(`networks/${network.name}.json`);
  const { authors, title, year } = network.paper;
  return (
    <>
      <header class="lead">
        <p class="crumbs">
          <a href={address("networks")}>{text.networks.title}</a>
          <label>
            <span class="unseen">{text.networks.choose}</span>
            <select
              value={network.name}
              onChange={(event) => {
                location.hash = address("networks", event.currentTarget.value);
              }}
            >
              {all.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        </p>
        <h1>{network.name}</h1>
        <p lang="en">
          {authors}, <cite>{title}</cite>, {year}
        </p>
      </header>
      <Problem problem={problem} />
      {content && (
        <>
          <dl class="facts">
            <Fact name={text.networks.input} value={content.input.slice(1).join(" × ")} />
            <Fact name={text.networks.parameters} value={integer(content.parameters)} />
            <Fact name={text.networks.weights} value={bytes(content.parameter_bytes)} />
            <Fact name={text.networks.multiplyAdds} value={integer(content.macs)} />
            <Fact name={text.networks.memory} value={bytes(content.activation_bytes)} />
            {content.receptive_field && (
              <Fact name={text.networks.field} value={content.receptive_field.join(" × ")} />
            )}
          </dl>
          <Drawing key={network.name} name={network.name} />
          <ModuleCosts summary={content} />
          <CostTable key={network.name} summary={content} />
        </>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

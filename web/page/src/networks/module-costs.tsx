import { Scroll } from "../shell/scroll";
import { useText } from "../text";
import { bytes, compact, percent } from "../text/numbers";
import type { Summary } from "./catalogue";
import { type Group, groups } from "./groups";

/** Parameters, multiply-adds and memory of each module, with bars. */
export function ModuleCosts({ summary }: { summary: Summary }) {
  const text = useText();
  const modules = groups(summary.layers);
  const measures: {
    title: string;
    of: (group: Group) => number;
    show: (value: number) => string;
  }[] = [
    { title: text.networks.parameters, of: ({ parameters }) => parameters, show: compact },
    { title: text.networks.multiplyAdds, of: ({ macs }) => macs, show: compact },
    { title: text.networks.memory, of: ({ memory }) => memory, show: bytes },
  ];
  return (
    <section class="module-costs">
      <h2>{text.networks.moduleCosts}</h2>
      <Scroll label={text.networks.moduleCosts}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.networks.module}</th>
              {measures.map(({ title }) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {modules.map((group) => (
              <tr key={group.name}>
                <th scope="row">{group.name}</th>
                {measures.map(({ title, of, show }) => {
                  const max = Math.max(1, ...modules.map(of));
                  const total = Math.max(
                    1,
                    modules.reduce((sum, group) => sum + of(group), 0),
                  );
                  return (
                    <td key={title} title={percent(of(group) / total, 1)}>
                      <span class="bar">
                        <span style={{ transform: `scaleX(${of(group) / max})` }} />
                      </span>
                      <data value={String(of(group))}>{show(of(group))}</data>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

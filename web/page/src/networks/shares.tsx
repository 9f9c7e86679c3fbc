import { Scroll } from "../shell/scroll";
import { useText } from "../text";
import { bytes, compact, percent } from "../text/numbers";
import type { Summary } from "./catalogue";
import { type Group, groups } from "./groups";

/** Where parameters, multiply-adds and memory sit: a bar for each part of the network. */
export function Shares({ summary }: { summary: Summary }) {
  const text = useText();
  const parts = groups(summary.layers);
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
    <section class="shares">
      <h2>{text.networks.shares}</h2>
      <Scroll label={text.networks.shares}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.networks.part}</th>
              {measures.map(({ title }) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parts.map((group) => (
              <tr key={group.name}>
                <th scope="row">{group.name}</th>
                {measures.map(({ title, of, show }) => {
                  const most = Math.max(1, ...parts.map(of));
                  const total = Math.max(
                    1,
                    parts.reduce((sum, part) => sum + of(part), 0),
                  );
                  return (
                    <td key={title} title={percent(of(group) / total, 1)}>
                      <span class="bar">
                        <span style={{ transform: `scaleX(${of(group) / most})` }} />
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

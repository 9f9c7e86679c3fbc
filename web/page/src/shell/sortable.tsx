import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useText } from "../text";
import { Scroll } from "./scroll";

export interface Column<Row> {
  key: string;
  title: string;
  /** Sort key of a row. */
  order: (row: Row) => number | string;
  show: (row: Row) => ComponentChildren;
  number?: boolean;
}

interface Props<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  /** Key of the column whose cell is the row header. */
  name: string;
  identity: (row: Row) => string;
}

/** A table that can be sorted by each column: ascending, descending, and in the original order. */
export function Sortable<Row>({ caption, columns, rows, name, identity }: Props<Row>) {
  const text = useText();
  const [order, setOrder] = useState<{ key: string; descending: boolean }>();
  const by = columns.find(({ key }) => key === order?.key);
  const sorted = by ? rows.toSorted((a, b) => compare(by.order(a), by.order(b))) : rows;
  if (by && order?.descending) sorted.reverse();

  function sortBy({ key, number = false }: Column<Row>) {
    // Numbers are sorted in descending order first.
    if (order?.key !== key) setOrder({ key, descending: number });
    else if (order.descending === number) setOrder({ key, descending: !number });
    else setOrder(undefined);
  }

  function direction(key: string): "ascending" | "descending" | "none" {
    if (order?.key !== key) return "none";
    return order.descending ? "descending" : "ascending";
  }

  return (
    <Scroll label={caption}>
      <table class="sortable">
        <caption>
          {caption} <span class="hint">{text.table.hint}</span>
        </caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                class={column.number ? "number" : ""}
                aria-sort={direction(column.key)}
              >
                <button type="button" onClick={() => sortBy(column)}>
                  {column.title}
                  <span class="arrow" aria-hidden="true">
                    {{ ascending: "↑", descending: "↓", none: "" }[direction(column.key)]}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={identity(row)}>
              {columns.map((column) =>
                column.key === name ? (
                  <th key={column.key} scope="row">
                    {column.show(row)}
                  </th>
                ) : (
                  <td key={column.key} class={column.number ? "number" : ""}>
                    {column.show(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

// Numbers as the page writes them, in every language alike.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `1,234,567` */
export function whole(value: number): string {
  return grouped.format(value);
}

/** `1.23 M`, thousands of thousands, three digits that count. */
export function compact(value: number): string {
  const units = ["", "k", "M", "G", "T"];
  let unit = 0;
  let amount = value;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  const text = unit === 0 ? String(amount) : amount.toPrecision(3);
  return units[unit] ? `${text}\u00a0${units[unit]}` : text;
}

/** `−0.1234`, with a true minus sign. */
export function decimal(value: number, digits = 4): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** `98.73 %` */
export function percent(share: number, digits = 2): string {
  return `${(share * 100).toFixed(digits)}\u00a0%`;
}

/** `1.16 MB`, thousands of bytes. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  let amount = value;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(2)}\u00a0${units[unit]}`;
}

/** `1.2` or `0.045` milliseconds: two digits that count. */
export function milliseconds(value: number): string {
  const text = value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
  return `${text}\u00a0ms`;
}

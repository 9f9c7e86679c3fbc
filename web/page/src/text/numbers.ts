// Formats of numbers, the same in every language.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Formats an integer with thousands separators: `1,234,567`. */
export function integer(value: number): string {
  return grouped.format(value);
}

/** Formats a count with three significant digits and a decimal prefix: `1.23 M`. */
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

/** Formats a number with `digits` decimals and the minus sign U+2212: `−0.1234`. */
export function decimal(value: number, digits = 4): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** Formats a fraction as a percentage: `98.73 %`. */
export function percent(fraction: number, digits = 2): string {
  return `${(fraction * 100).toFixed(digits)}\u00a0%`;
}

/** Formats a number of bytes with a decimal prefix: `1.16 MB`. */
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

/** Formats milliseconds with about two significant digits: `12 ms`, `1.2 ms`, `0.05 ms`. */
export function milliseconds(value: number): string {
  const text = value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
  return `${text}\u00a0ms`;
}

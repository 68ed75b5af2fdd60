/** Rows as text: the first column to the left, figures to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** Nanoseconds as ms with so many digits. */
export function ms(nanoseconds: number, digits = 2): string {
  return (nanoseconds / 1e6).toFixed(digits);
}

/** Bytes as MB (10⁶). */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** `value` in terms of `floor`. */
export function ratio(value: number, floor: number): string {
  return (value / floor).toFixed(2);
}

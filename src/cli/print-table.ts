/** A Table as the API server renders it (meta.k8s.io/v1). */
export interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority?: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

/** Lines of a table in kubectl's manner: upper-case heads, three spaces between columns, `<none>` for nothing. */
export function tableLines(table: Table, wide: boolean): string[] {
  const shown = table.columnDefinitions.map((column, i) => ({
    head: column.name.toUpperCase(),
    i,
    priority: column.priority ?? 0,
  }));
  const columns = shown.filter((column) => wide || column.priority === 0);
  const rows = table.rows.map((row) => columns.map(({ i }) => cellText(row.cells[i])));
  const all = [columns.map((column) => column.head), ...rows];
  const widths = columns.map((_, c) => Math.max(...all.map((row) => row[c]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, c) => cell.padEnd(widths[c] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined || cell === "") return "<none>";
  return typeof cell === "string" ? cell : JSON.stringify(cell);
}

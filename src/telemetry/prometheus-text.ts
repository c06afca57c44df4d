/** One number with what it is of. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts by bucket (the last one: above every bound), their sum and count, in the unit that the name says. */
export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** A metric with all its samples. Names are legal Prometheus names; of a histogram without the suffixes. */
export type MetricFamily =
  | {
      readonly type: "counter" | "gauge";
      readonly name: string;
      readonly help: string;
      readonly samples: Iterable<Sample>;
    }
  | {
      readonly type: "histogram";
      readonly name: string;
      readonly help: string;
      readonly bounds: readonly number[];
      readonly samples: Iterable<HistogramSample>;
    };

/** Families in the Prometheus text format 0.0.4 (prometheus.io, exposition formats). A family without samples is left out. */
export function prometheusText(families: Iterable<MetricFamily>): string {
  const lines: string[] = [];
  for (const family of families) {
    const begin = lines.length;
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.type}`);
    if (family.type === "histogram") for (const one of family.samples) addHistogram(lines, family, one);
    else
      for (const { labels, value } of family.samples)
        lines.push(`${family.name}${textOf(labels)} ${numberText(value)}`);
    if (lines.length === begin + 2) lines.length = begin;
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function addHistogram(
  lines: string[],
  { name, bounds }: { readonly name: string; readonly bounds: readonly number[] },
  { labels, counts, sum, count }: HistogramSample,
): void {
  let below = 0;
  bounds.forEach((bound, i) => {
    below += counts[i] ?? 0;
    lines.push(`${name}_bucket${textOf({ ...labels, le: String(bound) })} ${below}`);
  });
  lines.push(`${name}_bucket${textOf({ ...labels, le: "+Inf" })} ${count}`);
  lines.push(`${name}_sum${textOf(labels)} ${numberText(sum)}`, `${name}_count${textOf(labels)} ${count}`);
}

function textOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const numberText = (value: number): string => {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
};

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

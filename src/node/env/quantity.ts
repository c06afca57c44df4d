/** Resource amounts as the node reads them: kubernetes apimachinery pkg/api/resource, without its exact decimals. */

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `500m` → 0.5, `128Mi` → 134217728, `1e3` → 1000; undefined when it is not a quantity. */
export function quantity(text: string | undefined): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text ?? "");
  if (!match) return undefined;
  if (match[2] !== undefined) return Number(`${match[1]}${match[2]}`);
  const factor = factors[match[3] ?? ""];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

import { expect, test } from "vitest";
import { prometheusText } from "./prometheus-text.ts";

test("counters and gauges are written with their labels, escaped", () => {
  const text = prometheusText([
    {
      type: "counter",
      name: "asked_total",
      help: "How often\nit was asked.",
      samples: [
        { labels: {}, value: 3 },
        { labels: { path: 'a"b\\c\nd', method: "GET" }, value: 1.5e21 },
      ],
    },
    { type: "gauge", name: "none", help: "Left out.", samples: [] },
    { type: "gauge", name: "odd", help: "Odd.", samples: [{ labels: {}, value: Number.POSITIVE_INFINITY }] },
  ]);
  expect(text.split("\n")).toEqual([
    "# HELP asked_total How often\\nit was asked.",
    "# TYPE asked_total counter",
    "asked_total 3",
    'asked_total{path="a\\"b\\\\c\\nd",method="GET"} 1.5e+21',
    "# HELP odd Odd.",
    "# TYPE odd gauge",
    "odd +Inf",
    "",
  ]);
});

test("a histogram's buckets are cumulative, and the last one is its count", () => {
  const samples = [{ labels: { app: "a" }, counts: [1, 2, 4], sum: 9.5, count: 7 }];
  const text = prometheusText([{ type: "histogram", name: "took_seconds", help: "Time.", bounds: [0.1, 1], samples }]);
  expect(text.split("\n").slice(2)).toEqual([
    'took_seconds_bucket{app="a",le="0.1"} 1',
    'took_seconds_bucket{app="a",le="1"} 3',
    'took_seconds_bucket{app="a",le="+Inf"} 7',
    'took_seconds_sum{app="a"} 9.5',
    'took_seconds_count{app="a"} 7',
    "",
  ]);
});

test("nothing to tell is no text", () => expect(prometheusText([])).toBe(""));

import { describe, expect, test } from "vitest";
import type { HTTPIngressPath, Ingress, IngressRule } from "../api/networking-internal/types.gen.ts";
import { type Asking, normalHost, RouteTable } from "./route-table.ts";

const table = (): RouteTable<string> => new RouteTable((revision) => revision);

function ingress(name: string, rules: readonly IngressRule[], created = "2026-01-01T00:00:00Z"): Ingress {
  const metadata = { name, namespace: "ns", creationTimestamp: created };
  return { apiVersion: "networking.internal.knative.dev/v1alpha1", kind: "Ingress", metadata, spec: { rules } };
}

const to = (revision: string, more: Partial<HTTPIngressPath> = {}): HTTPIngressPath => ({
  splits: [{ serviceName: revision, serviceNamespace: "ns", servicePort: 80, percent: 100 }],
  ...more,
});

const rule = (host: string, ...paths: HTTPIngressPath[]): IngressRule => ({ hosts: [host], http: { paths } });

const asking = (host: string, target = "/", headers: Readonly<Record<string, string>> = {}): Asking => ({
  host,
  target,
  header: (name) => headers[name],
});

const goesTo = (routes: RouteTable<string>, ...args: Parameters<typeof asking>): string | undefined =>
  routes.match(asking(...args), "any", () => 0)?.target;

describe("a host", () => {
  test("answers in any case, with a port and a final dot", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [rule("App.Example.com", to("r"))]));
    for (const host of ["app.example.com", "APP.example.COM:8080", "app.example.com.", "app.example.com.:80"]) {
      expect(goesTo(routes, host)).toBe("ns/r");
    }
    expect(goesTo(routes, "example.com")).toBeUndefined();
    expect(normalHost("[::1]:8080")).toBe("[::1]");
    expect(normalHost("[::1]")).toBe("[::1]");
  });

  test("named by two Ingresses belongs to the older one, and to the other when that goes", () => {
    const routes = table();
    routes.apply("ns/young", ingress("young", [rule("x", to("young"))], "2026-02-01T00:00:00Z"));
    expect(goesTo(routes, "x")).toBe("ns/young");
    routes.apply("ns/old", ingress("old", [rule("x", to("old"))], "2026-01-01T00:00:00Z"));
    expect(goesTo(routes, "x")).toBe("ns/old");
    routes.apply("ns/old", undefined);
    expect(goesTo(routes, "x")).toBe("ns/young");
    routes.apply("ns/young", undefined);
    expect(goesTo(routes, "x")).toBeUndefined();
    expect(routes.hostCount).toBe(0);
  });

  test("no longer named by its Ingress stops answering at once", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [rule("x", to("r")), rule("y", to("r"))]));
    expect(goesTo(routes, "x")).toBe("ns/r");
    routes.apply("ns/a", ingress("a", [rule("y", to("r2"))]));
    expect(goesTo(routes, "x")).toBeUndefined();
    expect(goesTo(routes, "y")).toBe("ns/r2");
  });

  test("that is cluster-local is not answered on a public listener", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [{ ...rule("a.ns.svc.cluster.local", to("r")), visibility: "ClusterLocal" }]));
    const at = (reach: "public" | "local" | "any"): unknown =>
      routes.match(asking("a.ns.svc.cluster.local"), reach, () => 0)?.target;
    expect([at("public"), at("local"), at("any")]).toEqual([undefined, "ns/r", "ns/r"]);
  });
});

describe("a path", () => {
  test("is a prefix of whole segments, the longest first", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [rule("x", to("root"), to("ab", { path: "/a/b" }), to("a", { path: "/a" }))]));
    const seen = ["/", "/a", "/a?q", "/a/c", "/ab", "/a/b", "/a/b/c", "/a/bc"].map((path) => goesTo(routes, "x", path));
    expect(seen).toEqual(["root", "a", "a", "a", "root", "ab", "ab", "a"].map((name) => `ns/${name}`));
  });

  test("with a header is taken when the header has that value, before any without", () => {
    const routes = table();
    const tagged = to("tagged", { headers: { "Knative-Serving-Tag": { exact: "blue" } } });
    const main = to("main", { appendHeaders: { "Knative-Serving-Default-Route": "true" } });
    routes.apply("ns/a", ingress("a", [rule("x", main, tagged)]));
    expect(goesTo(routes, "x", "/", { "knative-serving-tag": "blue" })).toBe("ns/tagged");
    const other = routes.match(asking("x", "/", { "knative-serving-tag": "green" }), "any", () => 0);
    expect(other?.target).toBe("ns/main");
    expect(other?.changes.lines).toBe("Knative-Serving-Default-Route: true\r\n");
  });
});

describe("a split", () => {
  const split = (shares: Readonly<Record<string, number>>): HTTPIngressPath => ({
    splits: Object.entries(shares).map(([serviceName, percent]) => ({
      serviceName,
      serviceNamespace: "ns",
      percent,
      appendHeaders: { "Knative-Serving-Revision": serviceName },
    })),
  });

  test("follows its percentages, and adds no header meant for another hop", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [rule("x", split({ old: 80, new: 20 }))]));
    const drawn = Array.from({ length: 100 }, (_, i) => routes.match(asking("x"), "any", () => i / 100));
    expect(drawn.filter((match) => match?.target === "ns/new")).toHaveLength(20);
    expect(drawn[0]?.changes.lines).toBe("");
  });

  test("of shares that do not add up to 100 is taken in proportion", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [rule("x", split({ a: 1, b: 3 }))]));
    const drawn = Array.from({ length: 100 }, (_, i) => routes.match(asking("x"), "any", () => i / 100)?.target);
    expect(drawn.filter((target) => target === "ns/b")).toHaveLength(75);
  });

  test("without any share answers nothing", () => {
    const routes = table();
    routes.apply("ns/a", ingress("a", [rule("x", { splits: [] })]));
    expect(goesTo(routes, "x")).toBeUndefined();
  });
});

describe("a mapped domain", () => {
  test("is answered by the routes of the host it maps to, with that host's name and its own header", () => {
    const routes = table();
    const local = "hello.ns.svc.cluster.local";
    routes.apply("ns/hello", ingress("hello", [{ ...rule(local, to("hello-00001")), visibility: "ClusterLocal" }]));
    const mapped = {
      rewriteHost: local,
      splits: [
        {
          serviceName: "hello",
          serviceNamespace: "ns",
          percent: 100,
          appendHeaders: { "K-Original-Host": "shop.example" },
        },
      ],
    };
    routes.apply("ns/shop.example", ingress("shop.example", [rule("shop.example", mapped)]));
    const match = routes.match(asking("shop.example"), "public", () => 0);
    expect(match?.target).toBe("ns/hello-00001");
    expect(match?.changes).toMatchObject({ host: local, lines: "K-Original-Host: shop.example\r\n" });
    routes.apply("ns/hello", ingress("hello", [{ ...rule(local, to("hello-00002")), visibility: "ClusterLocal" }]));
    expect(routes.match(asking("shop.example"), "public", () => 0)?.target).toBe("ns/hello-00002");
  });
});

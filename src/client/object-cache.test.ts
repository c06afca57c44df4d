import { expect, test } from "vitest";
import type { KubeObject } from "../api/meta/object.ts";
import type { Change } from "./informer.ts";
import { ObjectCache } from "./object-cache.ts";

const make = (name: string, resourceVersion: string, extra: Partial<KubeObject["metadata"]> = {}): KubeObject => ({
  metadata: { name, namespace: "default", uid: `uid-${name}`, resourceVersion, ...extra },
});

function recorded(): { cache: ObjectCache<KubeObject>; seen: string[]; errors: unknown[] } {
  const seen: string[] = [];
  const errors: unknown[] = [];
  const cache = new ObjectCache<KubeObject>((error) => errors.push(error));
  cache.onChange(({ type, object, old }: Change<KubeObject>) => {
    seen.push(
      `${type} ${object.metadata.name}@${object.metadata.resourceVersion} was ${old?.metadata.resourceVersion}`,
    );
  });
  return { cache, seen, errors };
}

test("objects are handed out as they came, not copied", () => {
  const { cache } = recorded();
  const object = make("a", "1");
  cache.put(object);
  expect(cache.get("default/a")).toBe(object);
  expect(cache.list()[0]).toBe(object);
});

test("a re-list tells only the differences, gone objects first", () => {
  const { cache, seen } = recorded();
  for (const name of ["a", "b", "c"]) cache.put(make(name, "1"));
  seen.length = 0;
  cache.replace(
    new Map([
      ["default/b", make("b", "1")],
      ["default/c", make("c", "5")],
      ["default/d", make("d", "4")],
    ]),
  );
  expect(seen).toEqual(["deleted a@1 was 1", "modified c@5 was 1", "added d@4 was undefined"]);
});

test("a namesake with another uid is a deletion and an addition", () => {
  const { cache, seen } = recorded();
  cache.put(make("a", "1"));
  cache.put(make("a", "2", { uid: "other" }));
  expect(seen).toEqual(["added a@1 was undefined", "deleted a@1 was 1", "added a@2 was undefined"]);
});

test("indexes follow every change, also when added late", () => {
  const { cache } = recorded();
  const app = (object: KubeObject): readonly string[] => [object.metadata.labels?.app ?? ""];
  const names = (value: string): string[] => cache.byIndex("app", value).map((o) => o.metadata.name);
  cache.put(make("a", "1", { labels: { app: "x" } }));
  cache.addIndex("app", app);
  cache.put(make("b", "1", { labels: { app: "x" } }));
  expect(names("x")).toEqual(["a", "b"]);
  cache.put(make("a", "2", { labels: { app: "y" } }));
  expect(names("x")).toEqual(["b"]);
  expect(names("y")).toEqual(["a"]);
  cache.remove(make("b", "3", { labels: { app: "y" } }));
  expect(names("x")).toEqual([]);
});

test("listing one namespace gives only its objects", () => {
  const { cache } = recorded();
  cache.put(make("a", "1"));
  expect(cache.list("default")).toHaveLength(1);
  cache.put(make("b", "1", { namespace: "other" }));
  expect(cache.list("other").map((o) => o.metadata.name)).toEqual(["b"]);
  expect(cache.list()).toHaveLength(2);
});

test("a late handler is told what is there, and nothing after it was removed", () => {
  const { cache } = recorded();
  cache.put(make("a", "1"));
  const seen: string[] = [];
  const remove = cache.onChange(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
  cache.put(make("b", "1"));
  remove();
  cache.put(make("c", "1"));
  expect(seen).toEqual(["added a", "added b"]);
});

test("a handler that throws is reported and does not keep the change from others", () => {
  const { cache, errors } = recorded();
  cache.onChange(() => {
    throw new Error("handler");
  });
  const seen: string[] = [];
  cache.onChange(({ object }) => seen.push(object.metadata.name));
  cache.put(make("a", "1"));
  expect(seen).toEqual(["a"]);
  expect(errors).toEqual([new Error("handler")]);
});

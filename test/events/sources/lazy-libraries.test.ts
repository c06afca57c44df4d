/** Client libraries of message sources cost tens of megabytes: each is loaded with the first source of its kind. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const src = resolve(import.meta.dirname, "../../../src");
const readers = "events/sources/";
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
);
const libraries =
  /^import (?!type)[^;]*? from "(@platformatic\/kafka|amqplib|@redis\/client|mqtt|pg|pg-logical-replication)"/m;

test("they are imported in the folders of their readers only", () => {
  const guilty = files.filter(
    (file) => !file.startsWith(readers) && libraries.test(readFileSync(join(src, file), "utf8")),
  );
  expect(guilty).toEqual([]);
  expect(files.filter((file) => libraries.test(readFileSync(join(src, file), "utf8"))).length).toBeGreaterThan(3);
});

test("nothing imports a reader but the table that does when it is needed", () => {
  const reader = /^import (?!type)[^;]*? from "[^"]*(?:kafka|rabbitmq|nats|redis|mqtt|postgres)\/[a-z-]+\.ts"/m;
  const guilty = files.filter(
    (file) =>
      !/^events\/sources\/(?:kafka|rabbitmq|nats|redis|mqtt|postgres)\//.test(file) &&
      reader.test(readFileSync(join(src, file), "utf8")),
  );
  expect(guilty).toEqual([]);
});

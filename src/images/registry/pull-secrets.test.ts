import { expect, test } from "vitest";
import { pullSecretCredentials } from "./pull-secrets.ts";

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
const auth = (user: string): { readonly auth: string } => ({
  auth: Buffer.from(`${user}:p:w`).toString("base64"),
});
const secret = (auths: object, name = "pull") => ({
  metadata: { name },
  type: "kubernetes.io/dockerconfigjson",
  data: { ".dockerconfigjson": base64({ auths }) },
});

const asUser = (username: string) => ({ kind: "password", username, password: "p:w" });

test.each([
  ["the registry itself", { "reg.test:5000": auth("a") }, "reg.test:5000/x/y:1", "reg.test:5000", "a"],
  ["an address with scheme and version", { "https://reg.test/v2/": auth("a") }, "reg.test/x", "reg.test", "a"],
  ["Docker Hub under its old address", { "https://index.docker.io/v1/": auth("a") }, "nginx", "docker.io", "a"],
  ["a star for one label", { "*.test": auth("a") }, "reg.test/x", "reg.test", "a"],
  ["the longest path", { "reg.test": auth("a"), "reg.test/team": auth("b") }, "reg.test/team/app", "reg.test", "b"],
])("finds the login by %s", async (_, auths, image, registry, user) => {
  expect(await pullSecretCredentials([secret(auths)], image)(registry)).toEqual(asUser(user));
});

test.each([
  ["another registry", { "other.test": auth("a") }, "reg.test/x"],
  ["a path the image is not below", { "reg.test/team": auth("a") }, "reg.test/teams/app"],
  ["a star for two labels", { "*.test": auth("a") }, "a.b.test/x"],
])("gives no login for %s", async (_, auths, image) => {
  const registry = image.split("/")[0] ?? "";
  expect(await pullSecretCredentials([secret(auths)], image)(registry)).toBeUndefined();
});

test("reads the older form, tokens, and names with passwords", async () => {
  const old = { metadata: { name: "old" }, data: { ".dockercfg": base64({ "reg.test": auth("a") }) } };
  expect(await pullSecretCredentials([old], "reg.test/x")("reg.test")).toEqual(asUser("a"));
  const token = secret({ "reg.test": { identitytoken: "t" } });
  expect(await pullSecretCredentials([token], "reg.test/x")("reg.test")).toEqual({
    kind: "identity-token",
    token: "t",
  });
  const named = secret({ "reg.test": { username: "a", password: "p:w" } });
  expect(await pullSecretCredentials([named], "reg.test/x")("reg.test")).toEqual(asUser("a"));
});

test("a secret that is no Docker config is named", () => {
  const broken = { metadata: { name: "broken" }, data: { ".dockerconfigjson": "bm8=" } };
  expect(() => pullSecretCredentials([broken], "reg.test/x")).toThrow(
    'the pull secret "broken" is not usable: its .dockerconfigjson is no JSON',
  );
});

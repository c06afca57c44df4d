import { describe, expect, test } from "vitest";
import {
  checkConfigMapKey,
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkEnvVarName,
  checkLabelKey,
  checkLabelValue,
  checkPathSegment,
  checkPortName,
  generateName,
} from "./names.ts";

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe("texts are those clients know", () => {
  test.each([
    [checkDnsLabel, "Web_1", [labelText]],
    [checkDnsLabel, "a.b", ["must not contain dots"]],
    [checkDnsLabel, "a".repeat(64), ["must be no more than 63 characters"]],
    [checkDnsLabel, "", [labelText]],
    [
      checkDnsSubdomain,
      "a..b",
      [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [checkPathSegment, "a/b%", ["may not contain '/'", "may not contain '%'"]],
    [checkPathSegment, "..", ["may not be '..'"]],
    [checkLabelValue, "x".repeat(64), ["must be no more than 63 bytes"]],
    [
      checkPortName,
      "-a--B-",
      [
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
      ],
    ],
    [checkPortName, "8080", ["must contain at least one letter (a-z)"]],
    [checkConfigMapKey, "..", ["must not be '..'"]],
    [
      checkEnvVarName,
      "A=B",
      ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ],
  ] as const)("%o of %j", (check, value, expected) => {
    expect(check(value)).toEqual(expected);
  });

  test("label keys may have one prefix", () => {
    expect(checkLabelKey("app.kubernetes.io/name")).toEqual([]);
    expect(checkLabelKey("/name")).toEqual(["prefix part must be non-empty"]);
    expect(checkLabelKey("a/").at(0)).toBe("name part must be non-empty");
    expect(checkLabelKey("a/b/c")).toHaveLength(1);
    expect(checkLabelKey(`${"p".repeat(254)}/n`)).toContain("prefix part must be no more than 253 bytes");
    expect(checkLabelKey("n".repeat(64))).toEqual(["name part must be no more than 63 bytes"]);
  });

  test("good names have no complaints", () => {
    expect([
      ...checkDnsLabel("web-1"),
      ...checkDnsSubdomain("web.example.com"),
      ...checkDns1035Label("a1"),
      ...checkLabelValue(""),
      ...checkPortName("http"),
      ...checkConfigMapKey("a_b.c-d"),
      ...checkEnvVarName("my.env 1"),
    ]).toEqual([]);
    expect(checkDns1035Label("1a")).toHaveLength(1);
  });
});

test("generated names keep 58 characters and add 5", () => {
  expect(generateName("web-", () => 0)).toBe("web-bbbbb");
  expect(generateName("x".repeat(80), () => 26)).toBe(`${"x".repeat(58)}99999`);
  expect(generateName("web-")).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

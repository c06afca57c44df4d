import { invalid } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { Subresource } from "../../api/meta/requests.ts";
import type { Caller, Target } from "../registry/request.ts";
import type { StoredCall } from "./exchange.ts";
import { flagOption, textOption } from "./query.ts";

/** What a call is about, in the registry's terms. */
export function targetOf({ served, path }: StoredCall): Target {
  const { namespace, name = "", subresource } = path;
  return {
    served,
    name,
    ...(namespace !== undefined && served.definition.kind.namespaced ? { namespace } : {}),
    ...(subresource === undefined ? {} : { subresource: subresource as Subresource }),
  };
}

const maxManagerLength = 128;

/** Who writes and how, from user, query and User-Agent. `warnings` collects what the answer warns of. */
export function callerOf({ user, query, request }: StoredCall, warnings: string[]): Caller {
  const applying = (request.headers["content-type"] ?? "").startsWith("application/apply-patch");
  const manager = textOption(query, "fieldManager") ?? (applying ? "" : managerFrom(request.headers["user-agent"]));
  if (manager.length > maxManagerLength) throw optionError(fieldError.tooLong("fieldManager", maxManagerLength));
  const validation = textOption(query, "fieldValidation") ?? "Warn";
  if (validation !== "Ignore" && validation !== "Warn" && validation !== "Strict")
    throw optionError(fieldError.notSupported("fieldValidation", validation, ["Ignore", "Strict", "Warn"]));
  return {
    user,
    manager,
    dryRun: dryRunOf(query.getAll("dryRun")),
    fieldValidation: validation,
    warn: (text) => void warnings.push(text),
    ...(flagOption(query, "force") === undefined ? {} : { force: flagOption(query, "force") ?? false }),
  };
}

/** `dryRun=All` is the only value there is. */
export function dryRunOf(values: readonly string[]): boolean {
  const wrong = values.find((value) => value !== "All" && value !== "");
  if (wrong !== undefined) throw optionError(fieldError.notSupported("dryRun", wrong, ["All"]));
  return values.includes("All");
}

const optionError = (error: Parameters<typeof invalid>[2][number]): Error =>
  invalid({ group: "meta.k8s.io", kind: "CreateOptions" }, "", [error]);

const managerFrom = (agent: string | undefined): string =>
  (agent ?? "unknown").split("/", 1)[0]?.slice(0, 128) ?? "unknown";
